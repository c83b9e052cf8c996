"""Guards against relayed codes: when a bill waits for the phone though it is below the limit.

Gangs relay the code of a willing or robbed person to a till far away, or split a large purchase into
small ones. Neither is possible without the person's own phone saying yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from sqlmodel import col, select

from backend.codes import service as codes
from backend.codes.contracts import Purpose
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Seconds
from backend.kernel.money import Fen
from backend.payments.contracts import BillState, ConfirmReason
from backend.payments.model import Bill
from backend.payments.visits import Presented
from backend.settlement import queries as settlements
from backend.settlement.case import Case
from backend.settlement.contracts import Outcome
from backend.settlement.queries import outcome_of
from backend.supervision import queries as alerts
from backend.supervision import service as supervision
from backend.supervision.contracts import AlertState, Held, PaymentHeld
from backend.supervision.facts import drugs_of, spot_of
from backend.supervision.logic import Sale


def why_confirm(
    unit: Unit,
    whose: Presented,
    institution: InstitutionView,
    outcome: Outcome,
    limit: Fen,
    held: Held | None,
) -> ConfirmReason | None:
    """Return why a bill waits for the phone, ``None`` where it does not.

    On identity alone no account pays, and who has no phone could never confirm.
    """
    if whose.identity_only:
        return None
    if held is not None:
        return ConfirmReason.SUPERVISED
    total = outcome.total_fen
    bought_now = whose.stay is None and whose.purpose is Purpose.PHARMACY_PURCHASE
    if bought_now and _is_costly(unit, outcome) and _bought_costly(unit, whose.person_id):
        return ConfirmReason.VALUABLES
    if total > limit:
        return ConfirmReason.ABOVE_LIMIT
    if not bought_now:
        return None
    if _was_elsewhere(unit, whose, institution):
        return ConfirmReason.OTHER_PLACE
    series = limit * unit.settings.series_times_limit
    bought = _bought_unconfirmed(unit, whose.person_id)
    return ConfirmReason.SERIES if bought and bought + total > series else None


def hold(
    unit: Unit,
    bill_id: str,
    terminal_id: str,
    whose: Presented,
    institution: InstitutionView,
    case: Case,
    outcome: Outcome,
    trace_codes: Sequence[str],
) -> Held | None:
    """Return by which alert a purchase at a pharmacy is held; care is not held up."""
    if whose.purpose is not Purpose.PHARMACY_PURCHASE or whose.enrolment is None:
        return None
    sale = Sale(
        id=bill_id,
        at=unit.now,
        person_id=whose.person_id,
        home_area=whose.enrolment.area_code,
        spot=spot_of(institution),
        terminal_id=terminal_id,
        pharmacy=True,
        total_fen=outcome.total_fen,
        drugs=drugs_of(case.lines),
    )
    return supervision.look_at_bill(unit, sale, trace_codes)


def held(unit: Unit, bill: Bill) -> PaymentHeld | None:
    """Return why a bill still waits for an inspector; ``None`` where none holds it, or it was in order."""
    if bill.alert_id is None:
        return None
    monitor, state, until = alerts.verdict(unit, bill.alert_id)
    if state is AlertState.FALSE_ALARM:
        return None
    return PaymentHeld(bill.alert_id, monitor, until or bill.expires_at)


def wait_seconds(unit: Unit, bill: Bill) -> Seconds | None:
    """Return how long a bill of a second costly item still cools down, ``None`` where it does not."""
    if bill.confirm_reason != ConfirmReason.VALUABLES:
        return None
    left = bill.created_at + timedelta(seconds=unit.settings.valuables_wait_seconds) - unit.now
    return Seconds(ceil(left.total_seconds())) if left.total_seconds() > 0 else None


def _is_costly(unit: Unit, outcome: Outcome) -> bool:
    return any(line.total_fen >= unit.settings.valuable_line_fen for line in outcome.lines)


def _bought_costly(unit: Unit, person_id: str) -> bool:
    """Tell whether the person bought a costly item at a pharmacy in the last day."""
    since = unit.now - timedelta(seconds=unit.settings.valuables_seconds)
    outcomes = unit.db.exec(
        select(Bill.outcome)
        .where(Bill.person_id == person_id, Bill.state == BillState.SETTLED)
        .where(Bill.purpose == Purpose.PHARMACY_PURCHASE, Bill.created_at > since)
    ).all()
    return any(_is_costly(unit, outcome_of(stored)) for stored in outcomes)


def _was_elsewhere(unit: Unit, whose: Presented, institution: InstitutionView) -> bool:
    """Tell whether the person's code was scanned in another area a short while ago."""
    since = unit.now - timedelta(seconds=unit.settings.other_place_seconds)
    lately = set(codes.scanned_lately(unit, whose.person_id, since)) - {institution.id}
    places = institutions.institutions(unit, sorted(lately)).values() if lately else ()
    return any(place.area_code != institution.area_code for place in places)


def _bought_unconfirmed(unit: Unit, person_id: str) -> Fen:
    """Return what was bought at pharmacies in the last while without the phone saying yes."""
    since = unit.now - timedelta(seconds=unit.settings.series_seconds)
    bills = unit.db.exec(
        select(Bill.id)
        .where(Bill.person_id == person_id, Bill.state == BillState.SETTLED)
        .where(Bill.purpose == Purpose.PHARMACY_PURCHASE, col(Bill.confirmed_at).is_(None))
        .where(Bill.created_at > since)
    ).all()
    return settlements.total_of_bills(unit, bills) if bills else Fen(0)
