"""Pure decisions of family funds and the wallet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from backend.kernel.calendar import SHANGHAI, local
from backend.kernel.money import Fen
from backend.people.contracts import BenefitStatus, EnrolmentView
from backend.proxies.contracts import Relation
from backend.rulebook.library import Rulebook
from backend.sharing.contracts import SharingProblem


@dataclass(frozen=True)
class WalletRules:
    """The wallet's rules of a day."""

    relations: tuple[str, ...]
    per_day: int
    most_each_fen: Fen
    closes: int
    opens: int
    provisional: bool


def wallet_rules(region: str, day: date, book: Rulebook) -> WalletRules:
    """Return the rules of a day. Raises ``RuleMissing``."""
    names = ("relations", "transfers_per_day", "transfer_max", "closes_at_hour", "opens_at_hour")
    found = [book.find(region, f"wallet.{name}", day) for name in names]
    relations, per_day, most, closes, opens = found
    return WalletRules(
        *(relations.items, per_day.count, most.fen, closes.count, opens.count),
        provisional=any(one.ref.provisional for one in found),
    )


def closed_for(rules: WalletRules, now: datetime) -> timedelta | None:
    """Return how long the wallet stays closed, ``None`` while it is open."""
    here = local(now)
    if rules.opens <= here.hour < rules.closes:
        return None
    return due_after(rules, now) - now


def due_after(rules: WalletRules, now: datetime) -> datetime:
    """Return the next opening: what nobody has received by then goes back."""
    here = local(now)
    day = here.date() if here.hour < rules.opens else here.date() + timedelta(days=1)
    return datetime.combine(day, time(rules.opens), SHANGHAI)


def share_problem(
    relation: Relation,
    mine: Sequence[EnrolmentView],
    theirs: Sequence[EnrolmentView],
    day: date,
    book: Rulebook,
) -> SharingProblem | None:
    """Return which condition of sharing is not met. ``mine`` are the giver's enrolments with accounts."""
    if not mine:
        return SharingProblem.NO_ACCOUNT
    active = [one for one in mine if one.status is BenefitStatus.ACTIVE]
    if not active:
        return SharingProblem.NOT_INSURED
    insured = [one for one in theirs if one.status is BenefitStatus.ACTIVE]
    if not insured:
        return SharingProblem.RELATIVE_NOT_INSURED
    region = active[0].area_code
    if relation.value not in book.find(region, "family_sharing.relations", day).items:
        return SharingProblem.RELATION
    digits = 2 if book.find(region, "family_sharing.within", day).choice == "PROVINCE" else 4
    if not any(near(a, b, digits) for a in active for b in insured):
        return SharingProblem.OTHER_AREA
    return None


def near(one: EnrolmentView, other: EnrolmentView, digits: int) -> bool:
    """Tell whether two enrolments lie in one province (2 digits) or pooling area (4)."""
    return one.area_code[:digits] == other.area_code[:digits]
