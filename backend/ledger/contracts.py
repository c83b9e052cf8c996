"""Accounts, entries and what they look like from outside.

A positive posting raises an account. Each fund falls by what it pays, each personal account by what it
pays, the till by the cash it took over to the institution's claim, and the claim rises by the bill less
what the institution bears itself: they sum to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.kernel.money import Fen


class EntryKind(StrEnum):
    """Why money moved."""

    CONTRIBUTION = "CONTRIBUTION"
    SETTLEMENT = "SETTLEMENT"
    REVERSAL = "REVERSAL"
    DEPOSIT = "DEPOSIT"
    INSTALMENT = "INSTALMENT"
    CLEARING = "CLEARING"
    TRANSFER = "TRANSFER"
    RELOCATION = "RELOCATION"
    """转移接续: the balance of a personal account went along to another area."""
    PAYOUT = "PAYOUT"
    """A claim was paid out to a patient's bank."""
    CASH_PAID = "CASH_PAID"
    """A cash channel took money for a payment order."""
    CASH_RETURNED = "CASH_RETURNED"
    """A cash channel gave money of a payment order back."""
    MERGE = "MERGE"
    """Two records of one person became one."""


@dataclass(frozen=True)
class Posting:
    """One side of an entry."""

    account: str
    amount_fen: Fen


@dataclass(frozen=True)
class AccountLine:
    """One movement of a personal account, as its owner sees it."""

    id: str
    at: datetime
    kind: EntryKind
    amount_fen: Fen
    balance_after_fen: Fen
    memo: str
    reference: str


def personal(enrolment_id: str) -> str:
    """Return the name of the personal account of an enrolment."""
    return f"personal:{enrolment_id}"


def fund(area_code: str, insurance_type: str) -> str:
    """Return the name of the pooling fund of an area and insurance type."""
    return f"fund:{area_code}:{insurance_type}"


def payer(area_code: str, topic: str) -> str:
    """Return the name of the fund of an area that pays after basic insurance."""
    return f"payer:{area_code}:{topic}"


def contributions(area_code: str) -> str:
    """Return the name of the account that personal accounts are filled from."""
    return f"contributions:{area_code}"


def claim(institution_id: str) -> str:
    """Return the name of the account of what an institution has earned."""
    return f"claim:{institution_id}"


def till(institution_id: str) -> str:
    """Return the name of the account of cash that patients paid at an institution."""
    return f"till:{institution_id}"


def owed(institution_id: str) -> str:
    """Return the name of the account of what patients owe an institution (先诊疗后付费)."""
    return f"owed:{institution_id}"


def deposits(institution_id: str) -> str:
    """Return the name of the account of deposits that patients left at an institution."""
    return f"deposits:{institution_id}"


def wallet(person_id: str) -> str:
    """Return the name of the account of what relatives have sent to a person (医保钱包)."""
    return f"wallet:{person_id}"


def in_transit(person_id: str) -> str:
    """Return the name of the account of what a person has sent and nobody has received yet."""
    return f"transit:{person_id}"


def channel(name: str) -> str:
    """Return the name of the account of what a cash channel took from patients for institutions."""
    return f"channel:{name}"


def order_cash(order_id: str) -> str:
    """Return the name of the account of a payment order's cash between the channel and the claim.

    It is empty once the order is at its end.
    """
    return f"order:{order_id}"


def payout(enrolment_id: str) -> str:
    """Return the name of the account of what an insured person is to be paid out (手工报销)."""
    return f"payout:{enrolment_id}"


def paid_out(area_code: str) -> str:
    """Return the name of the account of what an insured area has paid out to patients' banks."""
    return f"paid_out:{area_code}"


class BalanceTooSmall(Exception):
    """A guarded account would fall below zero; nothing was posted."""
