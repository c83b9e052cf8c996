"""Use cases of filings: applying, cancelling, and what the desk's yes brings about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.access.contracts import Action, Actor
from backend.access.logic import label
from backend.filings import logic, queries
from backend.filings.contracts import (
    FILING_STATES,
    AwayKind,
    CancelFiling,
    FilingApplication,
    FilingCancelled,
    FilingEvent,
    FilingForm,
    FilingNotFound,
    FilingNotPossible,
    FilingPreview,
    FilingProblem,
    FilingRoute,
    FilingState,
    FilingView,
    PromiseLocked,
)
from backend.filings.model import Filing
from backend.infra import audit
from backend.infra.database import Database, Unit
from backend.infra.queue import Due, Ending, advance, never
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.matters import logic as matter_logic
from backend.matters import procedure
from backend.matters import queries as matters
from backend.matters import service as matter_service
from backend.matters.contracts import (
    ApplicationNotPossible,
    ApplicationView,
    ApplyProblem,
    MatterEvent,
    MatterKind,
    MatterState,
    MatterView,
    Party,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.matters.procedure import Asked, Judged, Procedure
from backend.notices.service import tell
from backend.people import queries as people
from backend.proxies.authority import Right, note
from backend.regions.library import area_name, divisions
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook
from backend.settlement.case import FilingKind

_AWAY_OF = {
    FilingKind.LONG_TERM_RESIDENT: AwayKind.LONG_TERM,
    FilingKind.REFERRAL: AwayKind.REFERRAL,
    FilingKind.EMERGENCY: AwayKind.EMERGENCY,
    FilingKind.TEMPORARY: AwayKind.OTHER,
}
FORM = TypeAdapter(FilingForm)
_TOLD_AT_ONCE = 200
_CANCEL = TypeAdapter(dict[str, str])


def save(unit: Unit, command: SaveApplication[FilingForm]) -> FilingApplication | Refusal:
    """Store a form as a draft and say everything that submitting it would mean."""

    def run() -> FilingApplication | Refusal:
        return _shown(unit, procedure.save_now(unit, FILING, command))

    return procedure.keyed(unit, "save_filing", command, FilingApplication, run)


def submit(unit: Unit, command: SubmitApplication) -> FilingApplication | Refusal:
    """Submit a draft, or what was missing: approved at once where nothing has to be reviewed."""

    def run() -> FilingApplication | Refusal:
        matter = matters.matter(unit, command.matter_id)
        cancels = matter is not None and matter.kind is MatterKind.FILING_CANCEL
        kind: Procedure[Any] = FILING_CANCEL if cancels else FILING
        return _shown(unit, procedure.submit_now(unit, kind, command))

    return procedure.keyed(unit, "submit_filing", command, FilingApplication, run)


def cancel(unit: Unit, command: CancelFiling) -> FilingCancelled | Refusal:
    """End a filing at once; while a promise locks it, open an application for which proof is uploaded."""
    row = unit.db.get(Filing, command.filing_id, with_for_update=True)
    person_id = None if row is None else _person_of(unit, row.enrolment_id)
    right = procedure.right_of(unit, command.actor, person_id)
    if isinstance(right, Refusal):
        return right
    if row is None or person_id is None or not _stands(row, local_day(unit.now)):
        return FilingNotFound()
    by, today = label(command.actor), local_day(unit.now)
    note(unit, right, command.actor, Action.FILE)
    if row.locked_until is not None and today < row.locked_until:
        application = _open_cancel(unit, row, command.actor, right, person_id)
        return FilingCancelled(queries.view(row, local_day(unit.now)), application)
    end(unit, row, by)
    return FilingCancelled(queries.view(row, local_day(unit.now)), None)


def make(unit: Unit, by: str, matter: MatterView, form: FilingForm) -> None:
    """Make the filing of an application that was approved; it counts once the platform has taken it."""
    rules = logic.rules_on(matter.area_code, local_day(unit.now), rulebook())
    row = Filing(
        id=unit.new_id(),
        enrolment_id=matter.enrolment_id,
        kind=form.kind.filing_kind,
        area_code=form.area_code,
        starts=form.starts,
        ends=logic.last_day(form, rules),
        state=FilingState.APPROVED,
        away_kind=form.kind,
        route=form.route,
        locked_until=logic.locked_until(form, local_day(unit.now), rules),
        matter_id=matter.id,
        operation="FILE",
        try_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"filing": row.id, "kind": form.kind.value, "area": row.area_code}
    audit.record(unit, by, "filing.make", f"enrolment:{row.enrolment_id}", facts)


def take_effect(unit: Unit, row: Filing) -> None:
    """Let a filing count, and end the one that stood for the same insurance before."""
    older = unit.db.exec(
        select(Filing)
        .where(Filing.enrolment_id == row.enrolment_id, Filing.state == FilingState.EFFECTIVE)
        .where(Filing.id != row.id)
        .order_by(col(Filing.id))
        .with_for_update()
    ).all()
    for other in older:
        if other.ends is not None and other.ends < row.starts:
            continue  # it runs out by itself before this one begins, as with a renewal
        _move(other, FilingEvent.REPLACE)
        other.ends = row.starts - timedelta(days=1)
    _move(row, FilingEvent.UPLOAD)
    row.effective_at = row.effective_at or unit.now
    row.operation, row.try_at, row.failure = "", None, ""
    unit.db.flush()
    facts = {"filing": row.id, "area": row.area_code, "replaced": [one.id for one in older]}
    audit.record(unit, "system", "filing.effective", f"enrolment:{row.enrolment_id}", facts)
    if row.matter_id is not None:
        matter_service.move(
            unit, row.matter_id, MatterEvent.TAKE_EFFECT, "system", Party.SYSTEM, result_id=row.id
        )


def end(unit: Unit, row: Filing, by: str) -> None:
    """Cancel a filing as of yesterday; what the platform had taken, it is told."""
    _move(row, FilingEvent.CANCEL)
    row.ends = local_day(unit.now) - timedelta(days=1)
    told = row.effective_at is not None or row.attempts > 0
    # a request that is on its way ends before the next try: the end never overtakes the beginning
    after = max(unit.now, row.try_at or unit.now)
    row.operation, row.try_at = ("CANCEL", after) if told else ("", None)
    row.attempts = 0
    unit.db.flush()
    audit.record(unit, by, "filing.cancel", f"enrolment:{row.enrolment_id}", {"filing": row.id})


def notify_filing_ends(database: Database, ending: Ending = never) -> int:
    """Notify patients, once, that a filing of theirs ends soon; return how many."""
    return advance(database, _ENDING, ending=ending)


def _ending(unit: Unit) -> SelectOfScalar[str]:
    today = local_day(unit.now)
    soon = today + timedelta(days=unit.settings.filing_end_notice_days)
    return (
        select(Filing.id)
        .where(Filing.state == FilingState.EFFECTIVE, col(Filing.end_told_on).is_(None))
        .where(col(Filing.ends) >= today, col(Filing.ends) <= soon)
    )


def _notify_end(unit: Unit, filing_id: str) -> bool:
    row = unit.db.get_one(Filing, filing_id, with_for_update=True)
    if unit.db.exec(_ending(unit).where(col(Filing.id) == filing_id)).first() is None:
        return False
    row.end_told_on = local_day(unit.now)
    unit.db.flush()
    facts = {"area": area_name(row.area_code), "ends": str(row.ends)}
    tell(unit, _person_of(unit, row.enrolment_id), "filing_ends", facts)
    return True


_ENDING = Due(name="filing.notify_end", items=_ending, act=_notify_end)


def record_filing(
    unit: Unit,
    actor: str,
    enrolment_id: str,
    kind: FilingKind,
    area_code: str,
    starts: date,
    ends: date | None,
) -> str:
    """Store a filing that is effective already, as another system reports it, and return its id."""
    filing = Filing(
        id=unit.new_id(),
        enrolment_id=enrolment_id,
        kind=kind,
        area_code=area_code,
        starts=starts,
        ends=ends,
        state=FilingState.EFFECTIVE,
        effective_at=unit.now,
    )
    unit.db.add(filing)
    unit.db.flush()
    facts = {"filing": filing.id, "kind": kind.value, "area": area_code}
    audit.record(unit, actor, "filing.record", f"enrolment:{enrolment_id}", facts)
    return filing.id


# -- applying --------------------------------------------------------------------------------------


def _judge(unit: Unit, form: FilingForm, asked: Asked) -> Judged | Refusal:
    place = divisions().get(form.area_code)
    if place is None or not form.area_code.endswith("00"):
        return FilingNotPossible(FilingProblem.UNKNOWN_AREA)
    book = rulebook()
    rules = logic.rules_on(asked.area_code, asked.today, book)
    exempt = logic.exempt_provinces(asked.area_code, asked.today, book)
    wrong = logic.problem(form, asked.area_code, exempt, asked.today, rules)
    if wrong is not None:
        return FilingNotPossible(wrong)
    reviewed = form.route is FilingRoute.MATERIALS
    return Judged(
        logic.needed(form),
        rules.review_workdays if reviewed else 0,
        at_once=not reviewed,
        promise=form.route is FilingRoute.PROMISE,
    )


def _judge_cancel(unit: Unit, form: dict[str, str], asked: Asked) -> Judged:
    days = logic.rules_on(asked.area_code, asked.today, rulebook()).review_workdays
    return Judged(((Requirement.RETURN_PROOF,),), days)


def _take_cancel(unit: Unit, by: str, matter: MatterView, form: dict[str, str]) -> str:
    row = unit.db.get_one(Filing, form["filing"], with_for_update=True)
    if _stands(row, local_day(unit.now)):
        end(unit, row, by)
    return row.id


def _shown(unit: Unit, done: ApplicationView | Refusal) -> FilingApplication | Refusal:
    return done if isinstance(done, Refusal) else application(unit, done.matter)


def application(unit: Unit, matter: MatterView) -> FilingApplication:
    """Return an application with what it would mean, or the filing that it became."""
    return applications(unit, [matter])[0]


def applications(unit: Unit, found: Sequence[MatterView]) -> list[FilingApplication]:
    """Return applications, as many reads for one as for all."""
    made = queries.of_matters(unit, [one.id for one in found])
    ends = {
        one.id: FILING_CANCEL.read(one)["filing"]
        for one in found
        if one.kind is MatterKind.FILING_CANCEL
    }
    ended = queries.filings(unit, list(ends.values()))
    stands = queries.standing(unit, [one.enrolment_id for one in found], local_day(unit.now))
    return [
        _cancelling(one, ended[ends[one.id]])
        if one.id in ends
        else _filing(unit, one, made.get(one.id), stands)
        for one in found
    ]


def _cancelling(matter: MatterView, filing: FilingView) -> FilingApplication:
    form = FilingForm(
        filing.away_kind or _AWAY_OF[filing.kind],
        filing.area_code,
        filing.starts,
        filing.ends,
        FilingRoute.MATERIALS,
    )
    return FilingApplication(matter, form, None, filing)


def _filing(
    unit: Unit, matter: MatterView, made: FilingView | None, stands: Sequence[FilingView]
) -> FilingApplication:
    form = FILING.read(matter)
    if made is not None:
        return FilingApplication(matter, form, None, made)
    before = [one for one in stands if one.enrolment_id == matter.enrolment_id]
    return FilingApplication(matter, form, _preview(unit, matter, form, before), None)


def _preview(
    unit: Unit, matter: MatterView, form: FilingForm, stands: Sequence[FilingView]
) -> FilingPreview | None:
    today = local_day(unit.now)
    try:
        rules = logic.rules_on(matter.area_code, today, rulebook())
    except RuleMissing:
        return None
    return FilingPreview(
        missing=matter_logic.missing(logic.needed(form), matter.materials),
        starts=form.starts,
        ends=logic.last_day(form, rules),
        at_once=form.route is not FilingRoute.MATERIALS,
        workdays=rules.review_workdays if form.route is FilingRoute.MATERIALS else 0,
        locked_until=logic.locked_until(form, today, rules),
        replaces=stands[0] if stands else None,
        provisional=rules.provisional,
    )


def _standing_refusal(
    unit: Unit, form: FilingForm, matter: MatterView, asked: Asked
) -> Refusal | None:
    """Return why a form cannot follow what stands already: one filing for one insurance."""
    under_way = matters.in_state(unit, matter.enrolment_id, MatterKind.FILING, procedure.NOT_DONE)
    if any(one.id != matter.id for one in under_way):
        return ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    last = logic.last_day(form, logic.rules_on(asked.area_code, asked.today, rulebook()))
    for stands in queries.standing(unit, [matter.enrolment_id], asked.today, lock=True):
        same = (stands.kind, stands.area_code) == (form.kind.filing_kind, form.area_code)
        if (
            same
            and stands.starts <= form.starts
            and (stands.ends is None or (last is not None and last <= stands.ends))
        ):
            return FilingNotPossible(FilingProblem.FILED_ALREADY)
        locks = stands.locked_until is not None and asked.today < stands.locked_until
        if locks and form.route is FilingRoute.PROMISE:
            return PromiseLocked(stands.locked_until or asked.today, stands.id)
    return None


def _open_cancel(unit: Unit, row: Filing, actor: Actor, right: Right, person_id: str) -> MatterView:
    """Open the application for cancelling with proof, or return the one that is open already."""
    form = _CANCEL.dump_json({"filing": row.id}).decode()
    waiting = (MatterState.DRAFT, *procedure.WITH_SOMEBODY)
    kind = MatterKind.FILING_CANCEL
    for one in matters.in_state(unit, row.enrolment_id, kind, waiting):
        if one.form == form:
            return one
    return procedure.open_own(unit, actor, right, kind, person_id, row.enrolment_id, form)


def _person_of(unit: Unit, enrolment_id: str) -> str:
    return people.person_of_enrolment(unit, enrolment_id)


def _stands(row: Filing, today: date) -> bool:
    ended = row.ends is not None and row.ends < today
    return FILING_STATES.after(FilingState(row.state), FilingEvent.CANCEL) is not None and not ended


def _move(row: Filing, event: FilingEvent) -> None:
    after = FILING_STATES.after(FilingState(row.state), event)
    invariant(after is not None, f"a filing that is {row.state} cannot {event}")
    row.state = after or row.state


FILING = Procedure(MatterKind.FILING, FORM, _judge, make, _standing_refusal)
FILING_CANCEL = Procedure(
    MatterKind.FILING_CANCEL, _CANCEL, _judge_cancel, _take_cancel, insured=False
)
KINDS = (MatterKind.FILING, MatterKind.FILING_CANCEL)
"""What applications for filings are of."""
