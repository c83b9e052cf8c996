"""Pure decisions about documents and enrolments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from backend.people.contracts import BenefitStatus, EnrolmentView, InsuranceType

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_STATUS_ORDER = [
    BenefitStatus.ACTIVE,
    BenefitStatus.WAITING,
    BenefitStatus.SUSPENDED,
    BenefitStatus.ENDED,
]


def check_digit(first_17: str) -> str:
    """Return the check digit of an ID number (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK[total % 11]


def birth_date_of(id_number: str) -> date | None:
    """Return the birth date in a well-formed ID number, ``None`` for a malformed one.

    The first six digits are not compared with a table: abolished, new and special codes (81, 82, 83
    for residence permits) belong to real people.
    """
    if len(id_number) != 18 or not (id_number[:17].isascii() and id_number[:17].isdigit()):
        return None
    if check_digit(id_number[:17]) != id_number[17].upper():
        return None
    try:
        return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        return None


def paying_enrolment(enrolments: Sequence[EnrolmentView]) -> EnrolmentView | None:
    """Return the enrolment that pays: in force before not, employees' before residents'.

    One person may have several records of which only one can pay for a bill.
    """
    if not enrolments:
        return None
    return min(
        enrolments,
        key=lambda e: (
            _STATUS_ORDER.index(e.status),
            e.insurance_type is not InsuranceType.EMPLOYEE,
            e.id,
        ),
    )
