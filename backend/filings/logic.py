"""Pure decisions about filings: what may be filed, what has to be shown, how long it holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from backend.filings.contracts import AwayKind, FilingForm, FilingProblem, FilingRoute
from backend.kernel.calendar import add_months
from backend.matters.contracts import Requirement
from backend.rulebook.library import Rulebook

_PROOF = {
    AwayKind.RETIRED: (Requirement.RESIDENCE_PROOF,),
    AwayKind.LONG_TERM: (Requirement.RESIDENCE_PROOF,),
    AwayKind.STATIONED: (Requirement.WORK_PROOF,),
    AwayKind.REFERRAL: (Requirement.REFERRAL_PAPER,),
}
"""医保发〔2022〕22号, article 8: a long-term filer shows proof or promises; a referral is shown by its
paper; an emergency and a journey are shown by nothing."""


@dataclass(frozen=True)
class FilingRules:
    """The rules of an insured area on a day."""

    lock_months: int
    temporary_months: int
    review_workdays: int
    backdate_days: int
    ahead_days: int
    provisional: bool


def rules_on(region: str, day: date, book: Rulebook) -> FilingRules:
    """Return the rules in force. Raises ``RuleMissing``."""
    names = (
        *("promise_lock_months", "temporary_months", "review_workdays"),
        *("backdate_days_max", "ahead_days_max"),
    )
    found = [book.find(region, f"filing.{name}", day) for name in names]
    lock, temporary, review, back, ahead = (one.count for one in found)
    guessed = any(one.ref.provisional for one in found)
    return FilingRules(lock, temporary, review, back, ahead, guessed)


def exempt_provinces(insured_area: str, day: date, book: Rulebook) -> set[str]:
    """Return the provinces, by two digits, for which an insured area asks for no filing; its own too."""
    found = book.find_if_any(insured_area, "cross_region.local_provinces", day)
    return {*(found.items if found is not None else ()), insured_area[:2]}


def needed(form: FilingForm) -> tuple[tuple[Requirement, ...], ...]:
    """Return the papers that a form needs, any one of each group."""
    proof = _PROOF.get(form.kind)
    return (proof,) if proof and form.route is FilingRoute.MATERIALS else ()


def routes_of(kind: AwayKind) -> tuple[FilingRoute, ...]:
    """Return how a kind of filing may be shown to be true."""
    if kind.is_long_term:
        return (FilingRoute.PROMISE, FilingRoute.MATERIALS)
    return (FilingRoute.MATERIALS,) if kind is AwayKind.REFERRAL else (FilingRoute.NOTHING,)


def last_day(form: FilingForm, rules: FilingRules) -> date | None:
    """Return the last day of what a form files; long-term filings have none."""
    if form.kind.is_long_term:
        return None
    most = add_months(form.starts, rules.temporary_months) - timedelta(days=1)
    return form.ends or most


def locked_until(form: FilingForm, day: date, rules: FilingRules) -> date | None:
    """Return the day from which a promise made on a day lets the filing be changed without proof."""
    return add_months(day, rules.lock_months) if form.route is FilingRoute.PROMISE else None


def problem(
    form: FilingForm,
    insured_area: str,
    exempt_provinces: Collection[str],
    today: date,
    rules: FilingRules,
) -> FilingProblem | None:
    """Return why a form cannot be filed, ``None`` where it can. The area is known to exist."""
    if form.area_code == insured_area:
        return FilingProblem.OWN_AREA
    if form.area_code[:2] in exempt_provinces:
        return FilingProblem.NOT_NEEDED
    if form.route not in routes_of(form.kind):
        return FilingProblem.ROUTE_NOT_FOR_KIND
    if form.starts < today - timedelta(days=rules.backdate_days):
        return FilingProblem.STARTS_TOO_EARLY
    if form.starts > today + timedelta(days=rules.ahead_days):
        return FilingProblem.STARTS_TOO_LATE
    if form.ends is None:
        return None
    if form.kind.is_long_term:
        return FilingProblem.LONG_TERM_HAS_NO_END
    if form.ends < form.starts:
        return FilingProblem.ENDS_BEFORE_IT_STARTS
    longest = add_months(form.starts, rules.temporary_months) - timedelta(days=1)
    return FilingProblem.TOO_LONG if form.ends > longest else None
