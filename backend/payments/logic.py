"""Pure checks of a basket, all lines at once, and of a person's own payment rules."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, time

from backend.catalogue.contracts import ItemKind, ItemView
from backend.institutions.contracts import InstitutionKind
from backend.kernel.errors import Refusal
from backend.kernel.money import PRICE_SCALE, QUANTITY_SCALE, Fen, whole_units
from backend.payments.contracts import (
    BasketEmpty,
    BasketLine,
    ItemNotInCatalogue,
    ItemNotSoldHere,
    PriceInvalid,
    QuantityInvalid,
    TooManyLines,
    TraceCodesWrong,
)
from backend.payments.rule_contracts import PaymentRules
from backend.rulebook.library import Rulebook
from backend.settlement.case import LineInput

_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)
_TRACE_CODE = re.compile(r"[0-9A-Z]{14,40}\Z", re.ASCII)
NATIONAL = "CN"

Numbered = Sequence[tuple[int, BasketLine]]


def numbers_refusal(
    lines: Sequence[BasketLine], lines_max: int, quantity_max: int, price_max_yuan: int
) -> Refusal | None:
    """Return what is wrong with the basket before anything is looked up."""
    if not lines:
        return BasketEmpty()
    if len(lines) > lines_max:
        return TooManyLines(len(lines), lines_max)
    bad = [n for n, line in enumerate(lines, 1) if not _quantity_ok(line, quantity_max)]
    if bad:
        return QuantityInvalid(tuple(bad), quantity_max)
    highest = price_max_yuan * PRICE_SCALE
    bad = [n for n, line in enumerate(lines, 1) if not 0 < line.unit_price <= highest]
    return PriceInvalid(tuple(bad), price_max_yuan) if bad else None


def catalogue_refusal(
    lines: Sequence[BasketLine],
    items: Mapping[str, ItemView],
    place: InstitutionKind,
    day: date,
    quantity_max: int,
    book: Rulebook,
) -> Refusal | None:
    """Return what is wrong with the basket once its items are known."""
    unknown = [n for n, line in enumerate(lines, 1) if line.code not in items]
    if unknown:
        return ItemNotInCatalogue(tuple(unknown), tuple(lines[n - 1].code[:60] for n in unknown))
    numbered = list(enumerate(lines, 1))
    if place is InstitutionKind.PHARMACY:
        foreign = [n for n, line in numbered if items[line.code].kind is not ItemKind.DRUG]
        if foreign:
            return ItemNotSoldHere(tuple(foreign))
    fractions = [n for n, line in numbered if _is_broken_pack(line, items[line.code])]
    if fractions:
        return QuantityInvalid(tuple(fractions), quantity_max)
    return _trace_refusal(numbered, items, place, day, book)


def line_inputs(
    lines: Sequence[BasketLine], items: Mapping[str, ItemView], terms_region: str
) -> tuple[LineInput, ...]:
    """Return the lines with the terms of their items."""
    return tuple(
        LineInput(
            number=number,
            code=line.code,
            name=items[line.code].name,
            kind=items[line.code].kind,
            item_class=items[line.code].item_class,
            prepaid_share=items[line.code].prepaid_share,
            price_limit=items[line.code].price_limit,
            terms_from=items[line.code].effective_from,
            illustrative=items[line.code].illustrative,
            quantity=line.quantity,
            unit_price=line.unit_price,
            terms_region=terms_region,
            restriction_met=line.restriction_met,
            served_on=line.served_on,
        )
        for number, line in enumerate(lines, 1)
    )


def rules_are_valid(rules: PaymentRules, highest: Fen) -> bool:
    """Tell whether limits lie in bounds and silent hours are two different times, or none."""
    limits = (rules.confirm_above_fen, rules.per_payment_fen, rules.per_day_fen)
    if not all(limit is None or 0 <= limit <= highest for limit in limits):
        return False
    hours = (rules.silent_from, rules.silent_until)
    if hours == (None, None):
        return True
    shaped = all(hour is not None and _HOUR.match(hour) for hour in hours)
    return shaped and rules.silent_from != rules.silent_until


def is_looser(wanted: PaymentRules, before: PaymentRules) -> bool:
    """Tell whether new rules would let anything through that the older ones stop."""
    higher = wanted.confirm_above_fen > before.confirm_above_fen
    lifted = any(
        old is not None and (new is None or new > old)
        for new, old in (
            (wanted.per_payment_fen, before.per_payment_fen),
            (wanted.per_day_fen, before.per_day_fen),
        )
    )
    minutes = [time(hour, minute) for hour in range(24) for minute in range(60)]
    opened = any(is_silent(before, at) and not is_silent(wanted, at) for at in minutes)
    return higher or lifted or opened


def is_silent(rules: PaymentRules, at: time) -> bool:
    """Tell whether a local time lies in the silent hours; they may go over midnight."""
    if rules.silent_from is None or rules.silent_until is None:
        return False
    starts, ends = time.fromisoformat(rules.silent_from), time.fromisoformat(rules.silent_until)
    return starts <= at < ends if starts < ends else at >= starts or at < ends


def account_left(rules: PaymentRules, paid_today: Fen) -> Fen | None:
    """Return how much the account may pay now, ``None`` where nothing limits it."""
    today = None if rules.per_day_fen is None else max(0, rules.per_day_fen - paid_today)
    limits = [limit for limit in (rules.per_payment_fen, today) if limit is not None]
    return Fen(min(limits)) if limits else None


def _trace_refusal(
    numbered: Numbered,
    items: Mapping[str, ItemView],
    place: InstitutionKind,
    day: date,
    book: Rulebook,
) -> TraceCodesWrong | None:
    """Check trace codes as ``CN-TRACE/required`` of the day demands."""
    demand = book.find(NATIONAL, "drug_trace.required", day, place=place.value).choice
    given = Counter(code for _, line in numbered for code in line.trace_codes)
    traced = {line.code for _, line in numbered if line.trace_codes}
    wrong = []
    for number, line in numbered:
        if line.quantity < 0:
            if line.code in traced:  # a pack is taken off the bill by not scanning it
                wrong.append(number)
            continue
        packs = whole_units(line.quantity)
        complete = len(line.trace_codes) >= 1 if line.split else len(line.trace_codes) == packs
        missing = not line.trace_codes and items[line.code].kind is ItemKind.DRUG
        shaped = all(_TRACE_CODE.match(code) and given[code] == 1 for code in line.trace_codes)
        if not shaped or (line.trace_codes and not complete) or (missing and demand == "ALWAYS"):
            wrong.append(number)
    return TraceCodesWrong(tuple(wrong)) if wrong else None


def _quantity_ok(line: BasketLine, quantity_max: int) -> bool:
    return 0 < abs(line.quantity) <= quantity_max * QUANTITY_SCALE


def _is_broken_pack(line: BasketLine, item: ItemView) -> bool:
    return item.kind is ItemKind.DRUG and not line.split and whole_units(line.quantity) is None
