"""Pure checks of a manual claim: what is wrong with it, everything at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from backend.catalogue.contracts import ItemClass, ItemView
from backend.claims.contracts import INVOICES_MAX, LINES_MAX, BookClaim, ClaimInvalid
from backend.kernel.money import PRICE_SCALE, QUANTITY_SCALE
from backend.settlement.case import CareKind, LineInput

_INVOICE = re.compile(r"[0-9A-Z]{8,40}\Z", re.ASCII)
"""Fiscal invoices carry a code and a number; 8 to 40 digits or capitals, written without spaces."""


def refusal(
    claim: BookClaim, today: date, quantity_max: int, price_max_yuan: int
) -> ClaimInvalid | None:
    """Return what is wrong with a claim before anything is looked up, or ``None``."""
    problems = [*_dates(claim, today), *_invoices(claim)]
    if not 1 <= len(claim.lines) <= LINES_MAX:
        problems.append(f"1 to {LINES_MAX} lines")
    if claim.care is CareKind.CHRONIC and not claim.disease:
        problems.append("the listed disease")
    for number, line in enumerate(claim.lines[:LINES_MAX], 1):
        if not 0 < abs(line.quantity) <= quantity_max * QUANTITY_SCALE:
            problems.append(f"line {number}: quantity")
        if not 0 < line.unit_price <= price_max_yuan * PRICE_SCALE:
            problems.append(f"line {number}: price")
        if not line.code and not line.name:
            problems.append(f"line {number}: code or name")
        if line.served_on is not None and not claim.first <= line.served_on <= claim.last:
            problems.append(f"line {number}: day of service")
    return ClaimInvalid(tuple(problems)) if problems else None


def line_inputs(
    claim: BookClaim, items: Mapping[str, ItemView], terms_region: str
) -> tuple[LineInput, ...] | ClaimInvalid:
    """Return the lines with the terms of their items; those without a code are outside (class 丙)."""
    unknown = [
        f"line {number}: {line.code[:60]} is not in the catalogue"
        for number, line in enumerate(claim.lines, 1)
        if line.code and line.code not in items
    ]
    if unknown:
        return ClaimInvalid(tuple(unknown))
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


def _dates(claim: BookClaim, today: date) -> list[str]:
    if not claim.first <= claim.last <= today:
        return ["the days of the care"]
    if claim.care is not CareKind.INPATIENT and claim.first != claim.last:
        return ["one day for care outside of a stay"]
    if claim.continues_id is not None and claim.care is not CareKind.INPATIENT:
        return ["only a stay continues an earlier claim"]
    return []


def _invoices(claim: BookClaim) -> list[str]:
    numbers = claim.invoices
    if not 1 <= len(numbers) <= INVOICES_MAX or len(set(numbers)) != len(numbers):
        return [f"1 to {INVOICES_MAX} invoices, each once"]
    bad = [number for number in numbers if not _INVOICE.match(number)]
    return [f"invoice number {number[:40]}" for number in bad]
