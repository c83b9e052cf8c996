"""The thresholds that the rulebook gives for monitoring."""

from __future__ import annotations

from datetime import date

from backend.rulebook.contracts import Finding, RuleMissing, RuleRef
from backend.rulebook.library import Rulebook, rulebook
from backend.supervision.contracts import Effect, Monitor
from backend.supervision.logic import Terms


def terms_of(region: str, day: date) -> Terms | None:
    """Return the thresholds of a region on a day; ``None`` where nothing is monitored yet."""
    try:
        return terms_in(rulebook(), region, day)
    except RuleMissing:
        return None


def terms_in(book: Rulebook, region: str, day: date) -> Terms:
    """Return the thresholds that a book gives for a region on a day. Raises ``RuleMissing``."""

    def find(name: str) -> Finding:
        return book.find(region, f"supervision.{name}", day)

    def count(name: str) -> int:
        return find(name).count

    effects = {one: Effect(find(_effect(one)).choice) for one in Monitor}
    return Terms(
        effects=effects,
        travel_least_km=count("travel_least_km"),
        travel_km_per_hour=count("travel_km_per_hour"),
        fly_least_km=count("fly_least_km"),
        fly_km_per_hour=count("fly_km_per_hour"),
        fly_more_minutes=count("fly_more_minutes"),
        split_hours=count("split_hours"),
        split_bills=count("split_bills"),
        split_each_fen=find("split_each").fen,
        split_total_fen=find("split_total").fen,
        quantity_days=count("quantity_days"),
        quantity_packs=count("quantity_packs"),
        odd_grace_minutes=count("odd_grace_minutes"),
        odd_sales=count("odd_sales"),
        relayed_minutes=count("relayed_minutes"),
        relayed_people=count("relayed_people"),
        relayed_least_fen=find("relayed_least").fen,
        hold_hours=count("hold_hours"),
        quiet_days=count("quiet_days"),
    )


def reference(region: str, monitor: Monitor, day: date) -> RuleRef:
    """Return where it stands written that a rule is in force."""
    return rulebook().find(region, f"supervision.{_effect(monitor)}", day).ref


def _effect(monitor: Monitor) -> str:
    return f"{monitor.lower()}_effect"
