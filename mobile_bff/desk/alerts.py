"""智能监控 at the desk: alerts, what the rules saw, the payments that wait, and how often a rule is wrong."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.desk import alerts
from backend.kernel.errors import Locale
from backend.supervision.contracts import (
    AlertEvent,
    AlertNotFound,
    AlertState,
    AlertView,
    AlertWordsMissing,
    Monitor,
    MonitorRate,
    SightingOf,
    SightingView,
    Suspect,
    WorkAlert,
)
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.desk.caller import staff_of
from mobile_bff.errors import answer, result_union
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status


@strawberry.type(name="Sighting", description="What a rule saw once.")
class SightingType:
    """In which sale, and by which threshold."""

    of: SightingOf = strawberry.field(description="In what it was seen.")
    sale_id: strawberry.ID = strawberry.field(
        description="The settlement's or the bill's plain id; of an attempt, the pack's trace code."
    )
    institution: str = strawberry.field(description="Where.")
    at: datetime = strawberry.field(description="When.")
    total: Money = strawberry.field(description="The bill's total.")
    explanation: str = strawberry.field(description="What the rule says, in a sentence.")
    others: list[strawberry.ID] = strawberry.field(description="Earlier settlements it belongs to.")
    rule: str = strawberry.field(description="The parameter that puts the rule in force.")
    effective_from: date = strawberry.field(description="From when that value applies.")
    provisional: bool = strawberry.field(description="No official text backs the threshold.")


@strawberry.type(name="Alert", description="Something that monitoring found, of one subject.")
class AlertType:
    """What it is about, where it stands, and what was seen."""

    alert_id: strawberry.ID = strawberry.field(description="Its id.")
    monitor: Monitor = strawberry.field(description="The rule that raised it.")
    title: str = strawberry.field(description="The rule's name.")
    suspect: Suspect = strawberry.field(description="What it is about.")
    state: AlertState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="Its state in words.")
    region: str = strawberry.field(description="Code of the county whose inspectors work it.")
    institution: str = strawberry.field(description="Where it was first seen.")
    person: str | None = strawberry.field(description="The insured person's masked name.")
    person_id: strawberry.ID | None = strawberry.field(description="The insured person's id.")
    terminal_id: strawberry.ID | None = strawberry.field(description="The terminal's id.")
    trace_code: str | None = strawberry.field(description="The pack's trace code.")
    raised_at: datetime = strawberry.field(description="When.")
    held_until: datetime | None = strawberry.field(
        description="Until when a payment waits for it; null: none does."
    )
    handler: str = strawberry.field(description="Who has taken it; empty: nobody.")
    words: str = strawberry.field(description="What was found; empty: nothing yet.")
    sightings: list[SightingType] = strawberry.field(
        description="What was seen, the latest first, at most 20."
    )


@strawberry.type(name="MonitorRate", description="How a rule has done so far.")
class RateType:
    """Alerts raised, and what inspectors said about them."""

    monitor: Monitor = strawberry.field(description="Which rule.")
    title: str = strawberry.field(description="Its name.")
    raised: int = strawberry.field(description="Alerts raised.")
    violations: int = strawberry.field(description="Judged a violation.")
    false_alarms: int = strawberry.field(description="Judged a false alarm.")


@strawberry.input(description="Works an alert.")
class WorkAlertInput:
    """Which, how, and why."""

    alert_id: strawberry.ID = strawberry.field(description="Which.")
    event: AlertEvent = strawberry.field(description="What the inspector does.")
    words: str = strawberry.field(description="What was found, for a verdict.", default="")


def _sighting(view: SightingView, locale: Locale) -> SightingType:
    return SightingType(
        of=view.of,
        sale_id=strawberry.ID(view.sale_id),
        institution=view.institution_name,
        at=view.at,
        total=money(view.total_fen, locale),
        explanation=view.said[0 if locale is Locale.ZH else 1],
        others=[strawberry.ID(one) for one in view.others],
        rule=view.rule,
        effective_from=view.effective_from,
        provisional=view.provisional,
    )


def _alert(view: AlertView, locale: Locale) -> AlertType:
    def named(value: str | None) -> strawberry.ID | None:
        return None if value is None else strawberry.ID(value)

    return AlertType(
        alert_id=strawberry.ID(view.id),
        monitor=view.monitor,
        title=view.monitor.text(locale),
        suspect=view.suspect,
        state=view.state,
        status=status(view.state, locale),
        region=view.region,
        institution=view.institution_name,
        person=view.person_name,
        person_id=named(view.person_id),
        terminal_id=named(view.terminal_id),
        trace_code=view.trace_code,
        raised_at=view.raised_at,
        held_until=view.held_until,
        handler=view.handler,
        words=view.words,
        sightings=[_sighting(one, locale) for one in view.sightings],
    )


def _rate(view: MonitorRate, locale: Locale) -> RateType:
    return RateType(
        monitor=view.monitor,
        title=view.monitor.text(locale),
        raised=view.raised,
        violations=view.violations,
        false_alarms=view.false_alarms,
    )


@strawberry.type
class DeskAlertQueries:
    """Alerts of the caller's regions."""

    @strawberry.field(
        description="Alerts that are not judged: those that hold a payment first, then the oldest."
    )
    async def alerts(self, info: Info, first: int | None = None) -> list[AlertType]:
        """Return alerts."""
        actor, limit = await staff_of(info), page_size(first)
        found = await info.context.door.read(lambda unit: alerts.waiting(unit, actor, limit))
        return [_alert(one, info.context.locale) for one in found]

    @strawberry.field(description="An alert of the caller's regions; null where there is none.")
    async def alert(self, info: Info, alert_id: strawberry.ID) -> AlertType | None:
        """Return an alert."""
        actor = await staff_of(info)
        found = await info.context.door.read(lambda unit: alerts.alert(unit, actor, alert_id))
        return None if found is None else _alert(found, info.context.locale)

    @strawberry.field(description="How each rule has done in the caller's regions.")
    async def alert_rates(self, info: Info) -> list[RateType]:
        """Return rates."""
        actor = await staff_of(info)
        found = await info.context.door.read(lambda unit: alerts.rates(unit, actor))
        return [_rate(one, info.context.locale) for one in found]


@strawberry.type
class DeskAlertMutations:
    """Working alerts."""

    @strawberry.mutation(
        description="Take an alert, hand it back, or say what it was. Payments that wait for it go on "
        "after a false alarm and are refused after a violation.",
        graphql_type=result_union(
            "WorkAlertResult",
            AlertType,
            (SignInRequired, DutyMissing, AlertNotFound, AlertWordsMissing),
        ),
    )
    async def work_alert(self, info: Info, input: WorkAlertInput) -> Any:
        """Work an alert."""
        outcome = await info.context.act(
            alerts.work,
            lambda actor: WorkAlert(actor, input.alert_id, input.event, input.words),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _alert(view, locale))
