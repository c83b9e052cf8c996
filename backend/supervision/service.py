"""Use cases of monitoring: looking at bills before they are paid and after, and working alerts.

What a rule sees is added to its subject's open alert, so that an inspector has one thing to look at and
not one for each bill. A subject that was found in order is left in peace by the same rule for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Select
from sqlmodel import col, select

from backend.access.contracts import Role, StaffActor
from backend.access.logic import label, serves
from backend.infra import audit
from backend.infra.database import Database, Unit, insert_new
from backend.infra.queue import Due, Ending, advance, never
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import ZERO
from backend.settlement import history
from backend.supervision import queries
from backend.supervision.contracts import (
    ALERT_STATES,
    AlertEvent,
    AlertNotFound,
    AlertState,
    AlertView,
    AlertWordsMissing,
    Effect,
    Held,
    Monitor,
    SightingOf,
    Suspect,
    WorkAlert,
)
from backend.supervision.facts import past_sale, scene_of, spot_of
from backend.supervision.logic import WORDS_MAX, Found, Sale, Terms, examine
from backend.supervision.model import Alert, Examined, Sighting
from backend.supervision.rules import reference, terms_of

_LATELY = timedelta(minutes=10)
_BACK = timedelta(days=7)


@dataclass(frozen=True)
class _Seen:
    """In what something was seen. ``key`` is the same for a bill before and after it is paid."""

    of: SightingOf
    key: str
    sale: Sale


def look_at_bill(unit: Unit, sale: Sale, trace_codes: Sequence[str]) -> Held | None:
    """Look at a bill that was priced; a rule that holds payments lets it wait, and raises its alert.

    Before: the person is locked. ``sale.id`` is the bill's.
    """
    terms = terms_of(sale.spot.area_code, local_day(sale.at))
    if terms is None:
        return None
    holding = [one for one in Monitor if terms.effects[one] is Effect.HOLD]
    scene = scene_of(unit, sale, trace_codes, terms, holding)
    for found in examine(scene, terms):
        if found.monitor in holding:  # the scene is gathered for these alone
            seen = _Seen(SightingOf.BILL, sale.id, sale)
            until = unit.now + timedelta(hours=terms.hold_hours)
            alert = _raise(unit, found, seen, terms, until)
            if alert is not None:
                return Held(alert.id, until)
    return None


def note_second_sale(
    unit: Unit, institution_id: str, terminal_id: str, trace_codes: Sequence[str]
) -> None:
    """Note that packs were refused because they had been sold before, where another place sold them."""
    place = institutions.institution(unit, institution_id)
    terms = terms_of(place.area_code, local_day(unit.now))
    if terms is None or terms.effects[Monitor.TRACE_TWICE] is Effect.OFF:
        return
    for pack in history.packs_sold(unit, sorted(trace_codes)):
        if pack.institution_id == institution_id:
            continue
        spot = spot_of(place)
        sale = Sale(pack.trace_code, unit.now, "", "", spot, terminal_id, False, ZERO)
        facts = {
            "trace_code": pack.trace_code,
            "before": local_day(pack.at).isoformat(),
            "where": institutions.institution(unit, pack.institution_id).name,
        }
        found = Found(
            Monitor.TRACE_TWICE, Suspect.PACK, pack.trace_code, facts, (pack.settlement_id,)
        )
        key = f"{institution_id}:{local_day(unit.now).isoformat()}"
        _raise(unit, found, _Seen(SightingOf.ATTEMPT, key, sale), terms, None)


def examine_due(database: Database, ending: Ending = never) -> int:
    """Look at what tills settled in the last minutes; every two seconds, so it looks back no further."""
    return advance(database, _FRESH, ending=ending)


def examine_left(database: Database, ending: Ending = never) -> int:
    """Look at what nobody has looked at, as after a stand-still, and at what was settled after a death."""
    return advance(database, _LEFT, _DEAD, ending=ending)


def work(unit: Unit, command: WorkAlert) -> AlertView | Refusal:
    """Take an alert of one's regions, hand it back, or say what it was; an inspector's act."""
    query = select(Alert).where(Alert.id == command.alert_id).with_for_update()
    row = unit.db.exec(query).first()
    refusal = serves(command.actor, Role.INSPECTOR, (row.region if row else "",))
    if refusal is not None:
        return refusal
    actor = command.actor
    after = None if row is None else ALERT_STATES.after(AlertState(row.state), command.event)
    if row is None or after is None or not isinstance(actor, StaffActor):
        return AlertNotFound()
    if command.event is not AlertEvent.TAKE and row.handler != actor.number:
        return AlertNotFound()
    if command.event in (AlertEvent.FIND_VIOLATION, AlertEvent.DISMISS):
        if not 0 < len(command.words.strip()) <= WORDS_MAX:
            return AlertWordsMissing()
        row.words = unit.vault.seal(command.words.strip(), f"alert:{row.id}")
        row.decided_at, row.open_key = unit.now, None
    row.state = after
    row.handler = "" if command.event is AlertEvent.HAND_BACK else actor.number
    unit.db.flush()
    facts = {"state": row.state}
    audit.record(unit, label(actor), f"alert.{command.event.lower()}", f"alert:{row.id}", facts)
    return queries.views(unit, [row])[0]


def _settled(unit: Unit, back: timedelta) -> Select[Any]:
    examined = (
        select(Examined.bill_id)
        .where(Examined.bill_id == history.bill_column(), col(Examined.after_death).is_(False))
        .exists()
    )
    return history.settled_since(unit.now - back, examined)


def _after_death(_unit: Unit) -> Select[Any]:
    again = (
        select(Examined.bill_id)
        .where(Examined.bill_id == history.bill_column(), col(Examined.after_death))
        .exists()
    )
    return history.settled_after_death(again)


def _examine(unit: Unit, settlement_id: str, after_death: bool) -> bool:
    """Look at a settlement once. One that was taken back meanwhile counts as looked at."""
    bill_id = history.bill_of(unit, settlement_id)
    row = {"bill_id": bill_id, "at": unit.now, "after_death": after_death}
    if not insert_new(unit, Examined, [row]):
        return False
    past = history.sale(unit, settlement_id)
    if past is None:
        return True
    spot = spot_of(institutions.institution(unit, past.institution_id))
    sale = past_sale(past, {spot.institution_id: spot})
    terms = terms_of(spot.area_code, local_day(sale.at))
    if terms is not None:
        wanted = (Monitor.DEAD,) if after_death else tuple(Monitor)
        scene = scene_of(unit, sale, past.trace_codes, terms, wanted)
        for found in examine(scene, terms):
            if found.monitor in wanted:
                _raise(unit, found, _Seen(SightingOf.SETTLEMENT, bill_id, sale), terms, None)
    return True


_FRESH = Due(
    name="settlement.examine",
    items=partial(_settled, back=_LATELY),
    act=partial(_examine, after_death=False),
)
_LEFT = Due(name="settlement.examine", items=partial(_settled, back=_BACK), act=_FRESH.act)
_DEAD = Due(
    name="settlement.examine_death", items=_after_death, act=partial(_examine, after_death=True)
)


def _raise(
    unit: Unit, found: Found, seen: _Seen, terms: Terms, held_until: datetime | None
) -> Alert | None:
    """Add what was seen to its subject's open alert, or to a new one; ``None`` where it is left in peace."""
    subject_key = f"{found.monitor}:{found.suspect}:{found.subject}"
    sale = seen.sale
    peace = unit.now - timedelta(days=terms.quiet_days)
    dismissed = select(Alert.id).where(
        Alert.subject_key == subject_key,
        Alert.state == AlertState.FALSE_ALARM,
        col(Alert.decided_at) > peace,
    )
    if unit.db.exec(dismissed).first() is not None:
        return None
    alert_id = unit.new_id()
    row = {
        "id": alert_id,
        "monitor": found.monitor.value,
        "suspect": found.suspect.value,
        "subject_key": subject_key,
        "open_key": subject_key,
        "state": AlertState.RAISED.value,
        "region": institutions.institution(unit, sale.spot.institution_id).division_code,
        "institution_id": sale.spot.institution_id,
        "person_id": sale.person_id if found.suspect is Suspect.PERSON else None,
        "terminal_id": sale.terminal_id,
        "trace_code": found.subject if found.suspect is Suspect.PACK else None,
        "raised_at": unit.now,
        "held_until": held_until,
        "handler": "",
        "words": "",
    }
    if insert_new(unit, Alert, [row]):
        facts = {"monitor": found.monitor.value}
        audit.record(unit, "system", "alert.raise", f"alert:{alert_id}", facts)
    query = select(Alert).where(Alert.open_key == subject_key).with_for_update()
    alert = unit.db.exec(query.execution_options(populate_existing=True)).first()
    if alert is None:  # judged in this very moment
        return None
    if held_until is not None:
        alert.held_until = max(held_until, alert.held_until or held_until)
    _see(unit, alert, found, seen)
    return alert


def _see(unit: Unit, alert: Alert, found: Found, seen: _Seen) -> None:
    sale = seen.sale
    ref = reference(sale.spot.area_code, found.monitor, local_day(sale.at))
    row = {
        "alert_id": alert.id,
        "sale_key": seen.key,
        "of": seen.of.value,
        "sale_id": sale.id,
        "institution_id": sale.spot.institution_id,
        "at": sale.at,
        "seen_at": unit.now,
        "total_fen": sale.total_fen,
        "facts": dict(found.facts),
        "others": list(found.others),
        "rule": ref.rule,
        "effective_from": ref.effective_from,
        "provisional": ref.provisional,
    }
    insert_new(unit, Sighting, [row])
    unit.db.flush()
