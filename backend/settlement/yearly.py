"""A year of somebody's settlements: sums by month and by care, and what of it tax law lets them deduct."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from backend.kernel.calendar import local_day
from backend.kernel.money import ZERO, Fen
from backend.rulebook.contracts import RuleRef
from backend.rulebook.library import NATION, Rulebook
from backend.settlement.case import CareKind
from backend.settlement.contracts import SettlementKind, SettlementView


@dataclass(frozen=True)
class Sums:
    """What settlements came to, those taken back counted off."""

    count: int
    total_fen: Fen
    fund_fen: Fen
    hospital_fen: Fen
    account_fen: Fen
    family_fen: Fen
    cash_fen: Fen


@dataclass(frozen=True)
class TaxDeduction:
    """大病医疗专项附加扣除 (国发〔2018〕41号, article 11).

    ``own_in_scope_fen``: what the patient bore of costs within the catalogue, from account or pocket;
    ``deductible_fen``: what exceeds the threshold, up to the maximum.
    """

    own_in_scope_fen: Fen
    threshold_fen: Fen
    maximum_fen: Fen
    deductible_fen: Fen
    ref: RuleRef


@dataclass(frozen=True)
class YearSummary:
    """A year: all of it, its twelve months, and each kind of care that there was."""

    year: int
    whole: Sums
    months: tuple[Sums, ...]
    by_care: tuple[tuple[CareKind, Sums], ...]
    tax: TaxDeduction | None


def summarise(
    year: int, booked: Sequence[tuple[CareKind, SettlementView]], book: Rulebook
) -> YearSummary:
    """Return the summary of a year's settlements and reversals, each with its kind of care."""
    cares = [care for care in CareKind if any(kind is care for kind, _ in booked)]
    return YearSummary(
        year=year,
        whole=_sums(view for _, view in booked),
        months=tuple(
            _sums(view for _, view in booked if local_day(view.settled_at).month == month)
            for month in range(1, 13)
        ),
        by_care=tuple(
            (care, _sums(view for kind, view in booked if kind is care)) for care in cares
        ),
        tax=_tax(year, [view for _, view in booked], book),
    )


def own_in_scope(view: SettlementView) -> Fen:
    """Return what the patient bore of costs within the catalogue; negative for a reversal.

    Prices above the limit and what is outside of the catalogue do not count.
    """
    outcome = view.outcome
    outside = outcome.full_self_pay_fen + outcome.over_limit_fen
    borne = outcome.total_fen - outcome.fund_fen - outcome.hospital_fen - outside
    return Fen(-borne if view.kind is SettlementKind.REVERSAL else borne)


def _tax(year: int, views: Sequence[SettlementView], book: Rulebook) -> TaxDeduction | None:
    day = date(year, 12, 31)
    threshold = book.find_if_any(NATION, "tax_deduction.threshold", day)
    maximum = book.find_if_any(NATION, "tax_deduction.maximum", day)
    if threshold is None or maximum is None:
        return None
    own = Fen(sum(own_in_scope(view) for view in views))
    above = Fen(max(ZERO, own - threshold.fen))
    return TaxDeduction(
        own, threshold.fen, maximum.fen, Fen(min(above, maximum.fen)), threshold.ref
    )


def _sums(views: Iterable[SettlementView]) -> Sums:
    held = list(views)
    return Sums(
        count=sum(1 if v.kind is SettlementKind.SETTLEMENT else -1 for v in held),
        total_fen=Fen(sum(v.total_fen for v in held)),
        fund_fen=Fen(sum(v.fund_fen for v in held)),
        hospital_fen=Fen(sum(v.hospital_fen for v in held)),
        account_fen=Fen(sum(v.account_fen for v in held)),
        family_fen=Fen(sum(v.family_fen for v in held)),
        cash_fen=Fen(sum(v.cash_fen for v in held)),
    )
