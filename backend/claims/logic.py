"""Pure checks of a manual claim: what is wrong with it, everything at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from backend.catalogue.contracts import ItemClass, ItemView
from backend.claims.contracts import (
    INVOICES_MAX,
    LINES_MAX,
    BookClaim,
    ClaimInvalid,
    ClaimProblem,
)
from backend.kernel.money import PRICE_SCALE, QUANTITY_SCALE
from backend.settlement.case import CareKind, LineInput

_ACCOUNT = re.compile(r"[0-9]{9,30}\Z", re.ASCII)
_INVOICE = re.compile(r"[0-9A-Z]{8,40}\Z", re.ASCII)
"""Fiscal invoices carry a code and a number; 8 to 40 digits or capitals, written without spaces."""


def refusal(
    claim: BookClaim, today: date, quantity_max: int, price_max_yuan: int
) -> ClaimInvalid | None:
    """Return what is wrong with a claim before anything is looked up, or ``None``."""
    problems = [*dates(claim, today), *invoices(claim.invoices)]
    if not 1 <= len(claim.lines) <= LINES_MAX:
        problems.append(ClaimProblem.NUMBER_OF_LINES)
    if claim.care is CareKind.CHRONIC and not claim.disease:
        problems.append(ClaimProblem.DISEASE)
    wrong_lines = set()
    for number, line in enumerate(claim.lines[:LINES_MAX], 1):
        wrong = []
        if not 0 < abs(line.quantity) <= quantity_max * QUANTITY_SCALE:
            wrong.append(ClaimProblem.LINE_QUANTITY)
        if not 0 < line.unit_price <= price_max_yuan * PRICE_SCALE:
            wrong.append(ClaimProblem.LINE_PRICE)
        if not line.code and not line.name:
            wrong.append(ClaimProblem.LINE_NAME)
        if line.served_on is not None and not claim.first <= line.served_on <= claim.last:
            wrong.append(ClaimProblem.LINE_DAY)
        problems += wrong
        wrong_lines |= {number} if wrong else set()
    if not problems:
        return None
    return ClaimInvalid(tuple(dict.fromkeys(problems)), tuple(sorted(wrong_lines)))


def line_inputs(
    claim: BookClaim, items: Mapping[str, ItemView], terms_region: str
) -> tuple[LineInput, ...] | ClaimInvalid:
    """Return the lines with the terms of their items; those without a code are outside (class 丙)."""
    unknown = [
        number for number, line in enumerate(claim.lines, 1) if line.code and line.code not in items
    ]
    if unknown:
        return ClaimInvalid((ClaimProblem.LINE_CODE,), tuple(unknown))
    made = []
    for number, line in enumerate(claim.lines, 1):
        item = items.get(line.code)
        made.append(
            LineInput(
                number=number,
                code=line.code or f"OUTSIDE-{number}",
                name=item.name if item else line.name,
                kind=item.kind if item else line.kind,
                item_class=item.item_class if item else ItemClass.C,
                prepaid_share=item.prepaid_share if item else "0",
                price_limit=item.price_limit if item else None,
                terms_from=item.effective_from if item else claim.last,
                illustrative=item.illustrative if item else False,
                quantity=line.quantity,
                unit_price=line.unit_price,
                terms_region=terms_region,
                restriction_met=line.restriction_met,
                served_on=line.served_on,
            )
        )
    return tuple(made)


class Days(Protocol):
    """What a claim says of its days, as a form of a patient and a clerk's entry both do."""

    @property
    def care(self) -> CareKind:
        """Return the kind of care."""

    @property
    def first(self) -> date:
        """Return the first day."""

    @property
    def last(self) -> date:
        """Return the last day."""

    @property
    def continues_id(self) -> str | None:
        """Return the claim that it continues."""


def dates(claim: Days, today: date) -> list[ClaimProblem]:
    """Return what is wrong with the days of a claim."""
    if not claim.first <= claim.last <= today:
        return [ClaimProblem.DATES]
    if claim.care is not CareKind.INPATIENT and claim.first != claim.last:
        return [ClaimProblem.ONE_DAY]
    if claim.continues_id is not None and claim.care is not CareKind.INPATIENT:
        return [ClaimProblem.ONLY_STAYS_CONTINUE]
    return []


def invoices(numbers: Sequence[str]) -> list[ClaimProblem]:
    """Return what is wrong with the numbers of invoices."""
    if not 1 <= len(numbers) <= INVOICES_MAX or len(set(numbers)) != len(numbers):
        return [ClaimProblem.INVOICES]
    bad = any(not _INVOICE.match(number) for number in numbers)
    return [ClaimProblem.INVOICE_NUMBER] if bad else []


def account(holder: str, bank: str, number: str) -> list[ClaimProblem]:
    """Return what is wrong with an account to pay to; only its bank knows whether it is there."""
    fits = bool(_ACCOUNT.match(number)) and 1 <= len(holder.strip()) <= 50
    return [] if fits and 1 <= len(bank.strip()) <= 50 else [ClaimProblem.ACCOUNT]
