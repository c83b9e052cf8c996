"""What may be shown of personal data. A masked value has its own type, so it cannot be mixed up."""

from __future__ import annotations

from typing import NewType

MaskedName = NewType("MaskedName", str)
MaskedNumber = NewType("MaskedNumber", str)


def mask_name(name: str) -> MaskedName:
    """Keep the first character, and the last of a name of three or more: 李样例 is 李*例."""
    if len(name) <= 1:
        return MaskedName("*")
    if len(name) == 2:
        return MaskedName(name[0] + "*")
    return MaskedName(name[0] + "*" * (len(name) - 2) + name[-1])


def mask_id_number(number: str) -> MaskedNumber:
    """Keep the first and the last character of a document number, as national terminals do."""
    if len(number) <= 2:
        return MaskedNumber("*" * len(number))
    return MaskedNumber(number[0] + "*" * (len(number) - 2) + number[-1])


def mask_account(number: str) -> MaskedNumber:
    """Keep the last four digits of a bank account."""
    return MaskedNumber("*" * max(0, len(number) - 4) + number[-4:] if len(number) > 8 else "****")


def mask_phone(phone: str) -> MaskedNumber:
    """Keep the first three and the last four digits of a mobile number."""
    if len(phone) < 8:
        return MaskedNumber("*" * len(phone))
    return MaskedNumber(phone[:3] + "*" * (len(phone) - 7) + phone[-4:])
