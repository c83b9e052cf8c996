"""Pure decisions of sign-in and payment passwords."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

PASSWORD_LENGTH = 6


def is_weak(password: str, id_number: str, phone: str, birth_date: date) -> bool:
    """Tell whether a payment password is malformed or one that a thief would try first.

    That is: fewer than three different digits, a series up or down, the same half twice, six digits in
    a row of the person's own ID number or phone, or the birth date.
    """
    if len(password) != PASSWORD_LENGTH or not (password.isascii() and password.isdigit()):
        return True
    steps = {int(b) - int(a) for a, b in pairwise(password)}
    series = len(steps) == 1 and steps <= {-1, 0, 1}
    half = PASSWORD_LENGTH >> 1
    repeated = password[:half] == password[half:] or len(set(password)) < 3
    own = password in id_number or password in phone
    born = password in (f"{birth_date:%y%m%d}", f"{birth_date:%Y%m}", f"{birth_date:%m%d%y}")
    return series or repeated or own or born
