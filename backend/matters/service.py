"""What every application does: open, change, move. What it is about is its kind's own business.

Each function expects its caller to have seen to who may act; each move asks the state table of the kind,
writes a step that is never changed, and tells the person and whoever filed for them.
"""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from backend.infra import audit
from backend.infra.database import Database, Unit
from backend.infra.queue import Due, Ending, advance, never
from backend.kernel.calendar import local_day
from backend.matters import queries
from backend.matters.contracts import (
    AT_THE_AGENCY,
    STATES_OF,
    MatterEvent,
    MatterKind,
    MatterState,
    MatterView,
    NewMatter,
    Party,
)
from backend.matters.model import Matter, MatterHandOver, MatterStepRow
from backend.notices.service import tell
from backend.people import queries as people
from backend.regions.library import in_county

_TOLD = {
    MatterEvent.SUBMIT,
    MatterEvent.APPROVE_AT_ONCE,
    MatterEvent.ASK,
    MatterEvent.APPROVE,
    MatterEvent.REJECT,
    MatterEvent.TAKE_EFFECT,
    MatterEvent.LAPSE,
    MatterEvent.PAY,
    MatterEvent.PAY_FAIL,
}
_WORDS_MAX = 500


def open_draft(unit: Unit, by: str, new: NewMatter) -> MatterView:
    """Open a draft that is kept for some days, longer for who is in elder mode."""
    matter_id = unit.new_id()
    row = Matter(
        id=matter_id,
        number=f"BJ{local_day(unit.now):%Y%m%d}{unit.resources.ids.digits(8)}",
        kind=new.kind,
        state=MatterState.DRAFT,
        person_id=new.person_id,
        applicant_id=new.applicant_id,
        relation=new.relation,
        area_code=new.area_code,
        county_code=_county(unit, new.area_code, new.enrolment_id, new.county_code),
        enrolment_id=new.enrolment_id or None,
        form=unit.vault.seal(new.form, f"matter:{matter_id}"),
        started_at=unit.now,
        expires_at=unit.now + _draft_life(unit, new),
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"matter": row.id, "kind": row.kind}
    audit.record(unit, by, "matter.open", f"person:{row.person_id}", facts)
    return queries.views(unit, [row])[0]


def change_draft(unit: Unit, by: str, matter_id: str, new: NewMatter) -> MatterView | None:
    """Store another form in a draft, or in one that waits for its applicant; ``None`` otherwise."""
    row = locked(unit, matter_id)
    if row is None or row.state not in (MatterState.DRAFT, MatterState.SUPPLEMENT):
        return None
    row.form = unit.vault.seal(new.form, f"matter:{row.id}")
    row.area_code, row.enrolment_id = new.area_code, new.enrolment_id or None
    row.county_code = _county(unit, new.area_code, new.enrolment_id, new.county_code)
    unit.db.flush()
    audit.record(unit, by, "matter.change", f"person:{row.person_id}", {"matter": row.id})
    return queries.views(unit, [row])[0]


def store_form(unit: Unit, matter_id: str, form: str) -> None:
    """Store what has changed of a form after it was decided. Before: the application is locked."""
    row = unit.db.get_one(Matter, matter_id)
    row.form = unit.vault.seal(form, f"matter:{row.id}")
    unit.db.flush()


def move(
    unit: Unit,
    matter_id: str,
    event: MatterEvent,
    by: str,
    party: Party,
    words: str = "",
    due_days: int | None = None,
    result_id: str | None = None,
    area_code: str | None = None,
) -> MatterView | None:
    """Let something happen to an application; ``None`` where it cannot happen to it now.

    ``due_days`` is given with the submission: the clock starts, and starts anew with an appeal.
    ``area_code``: whose desk it goes on to.
    """
    row = locked(unit, matter_id)
    if row is None:
        return None
    after = STATES_OF[MatterKind(row.kind)].after(MatterState(row.state), event)
    if after is None:
        return None
    row.state = after
    if event is MatterEvent.APPEAL or (area_code and area_code != row.area_code):
        row.holder = row.held_at = None  # it goes on to somebody else
    if area_code and area_code != row.area_code:
        row.area_code = area_code
        row.county_code = _county(unit, area_code, row.enrolment_id or "", "")
    if due_days is not None:
        row.submitted_at, row.due_days, row.expires_at = unit.now, due_days, None
    if event is MatterEvent.ASK:
        row.expires_at = unit.now + timedelta(days=unit.settings.supplement_days)
    if event is MatterEvent.SUPPLEMENT:
        row.expires_at = None
    if event in (MatterEvent.APPROVE, MatterEvent.REJECT, MatterEvent.APPROVE_AT_ONCE):
        row.decided_by, row.expires_at = by, None
    row.result_id = result_id or row.result_id
    step = MatterStepRow(
        matter_id=row.id,
        at=unit.now,
        party=party,
        actor=by,
        event=event,
        state=after,
        words=words.strip()[:_WORDS_MAX],
    )
    unit.db.add(step)
    unit.db.flush()
    facts = {"matter": row.id, "state": after.value}
    audit.record(unit, by, f"matter.{event.lower()}", f"person:{row.person_id}", facts)
    if event in _TOLD:
        _tell(unit, row, event, step.words)
    return queries.views(unit, [row])[0]


def hold(
    unit: Unit, by: str, matter_id: str, holder: str | None, words: str = ""
) -> MatterView | None:
    """Let somebody work on an application, or nobody; ``None`` where it does not wait any more."""
    row = locked(unit, matter_id)
    if row is None or row.state not in AT_THE_AGENCY:
        return None
    change = MatterHandOver(
        matter_id=row.id,
        at=unit.now,
        by=by,
        held_before=row.holder,
        holder=holder,
        words=words.strip()[:_WORDS_MAX],
    )
    unit.db.add(change)
    row.holder, row.held_at = holder, None if holder is None else unit.now
    unit.db.flush()
    facts = {"matter": row.id, "holder": holder or ""}
    audit.record(unit, by, "matter.hold", f"person:{row.person_id}", facts)
    return queries.views(unit, [row])[0]


def expire_matters(database: Database, ending: Ending = never) -> int:
    """Let drafts and supplements lapse whose time is over; return how many did."""
    return advance(database, _EXPIRED, ending=ending)


def _expire(unit: Unit, matter_id: str) -> bool:
    row = locked(unit, matter_id)
    if row is None or row.expires_at is None or row.expires_at > unit.now:
        return False  # its applicant went on with it meanwhile
    return move(unit, matter_id, MatterEvent.LAPSE, "system", Party.SYSTEM) is not None


_EXPIRED = Due(
    name="matter.expire",
    items=lambda unit: (
        select(Matter.id)
        .where(col(Matter.state).in_((MatterState.DRAFT, MatterState.SUPPLEMENT)))
        .where(col(Matter.expires_at) <= unit.now)
    ),
    act=_expire,
)


def locked(unit: Unit, matter_id: str) -> Matter | None:
    """Return an application, locked."""
    query = select(Matter).where(Matter.id == matter_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).first()


def _tell(unit: Unit, row: Matter, event: MatterEvent, words: str) -> None:
    facts = {"number": row.number, "state": row.state, "words": words}
    for person_id in sorted({row.person_id, row.applicant_id}):
        tell(unit, person_id, f"matter_{event.lower()}", facts)


def _county(unit: Unit, area_code: str, enrolment_id: str, county: str) -> str:
    """Return the county whose desk works on an application beside its area's; it may be empty."""
    if enrolment_id:
        *_, county = people.desks_of_enrolment(unit, enrolment_id)
    return county if in_county(area_code, county) else ""


def _draft_life(unit: Unit, new: NewMatter) -> timedelta:
    settings = unit.settings
    elder = any(
        people.preferences(unit, one).elder_mode for one in {new.person_id, new.applicant_id}
    )
    return timedelta(days=settings.elder_draft_days if elder else settings.draft_days)
