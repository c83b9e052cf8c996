"""Use cases of filings: applying, cancelling, and what the desk's yes brings about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from pydantic import TypeAdapter
from sqlmodel import col, select

from backend.access.contracts import Action, Actor, PersonActor, SignInRequired
from backend.access.logic import label
from backend.filings import logic, queries
from backend.filings.contracts import (
    FILING_STATES,
    ActOnMatter,
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
    SaveFiling,
    SubmitFiling,
)
from backend.filings.model import Filing
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.matters import logic as matter_logic
from backend.matters import queries as matters
from backend.matters import service as matter_service
from backend.matters.contracts import (
    MaterialsMissing,
    MatterEvent,
    MatterKind,
    MatterNotFound,
    MatterState,
    MatterView,
    NewMatter,
    Party,
    Requirement,
)
from backend.people import queries as people
from backend.people.contracts import BenefitStatus, EnrolmentView
from backend.people.logic import paying_enrolment
from backend.policies.contracts import Service
from backend.policies.queries import outage_now
from backend.proxies.authority import Right, authorize, note
from backend.regions.library import divisions
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from backend.settlement.case import FilingKind

_AWAY_OF = {
    FilingKind.LONG_TERM_RESIDENT: AwayKind.LONG_TERM,
    FilingKind.REFERRAL: AwayKind.REFERRAL,
    FilingKind.EMERGENCY: AwayKind.EMERGENCY,
    FilingKind.TEMPORARY: AwayKind.OTHER,
}
FORM = TypeAdapter(FilingForm)
T = TypeVar("T")
_CANCEL = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class _Asked:
    """Who files for whom, under which enrolment and rules."""

    right: Right
    by: str
    applicant_id: str
    enrolment: EnrolmentView
    rules: logic.FilingRules
    today: date


def save(unit: Unit, command: SaveFiling) -> FilingApplication | Refusal:
    """Store a form as a draft and say everything that submitting it would mean."""
    return _with_rules(
        unit,
        "save_filing",
        command.actor,
        command.request_id,
        command,
        lambda: _save(unit, command),
    )


def submit(unit: Unit, command: SubmitFiling) -> FilingApplication | Refusal:
    """Submit a draft, or what was missing: approved at once where nothing has to be reviewed."""
    return _with_rules(
        unit,
        "submit_filing",
        command.actor,
        command.request_id,
        command,
        lambda: _submit(unit, command),
    )


def withdraw(unit: Unit, command: ActOnMatter) -> MatterView | Refusal:
    """Take an application back that is not decided yet."""
    return _on_matter(unit, command, MatterEvent.WITHDRAW)


def appeal(unit: Unit, command: ActOnMatter) -> MatterView | Refusal:
    """Ask for another decision; another clerk gives it, within the same number of days."""
    return _on_matter(unit, command, MatterEvent.APPEAL)


def cancel(unit: Unit, command: CancelFiling) -> FilingCancelled | Refusal:
    """End a filing at once; while a promise locks it, open an application for which proof is uploaded."""
    row = unit.db.get(Filing, command.filing_id, with_for_update=True)
    person_id = None if row is None else _person_of(unit, row.enrolment_id)
    right = _right(unit, command.actor, person_id)
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


def decide_at_desk(
    unit: Unit, by: str, matter_id: str, event: MatterEvent, words: str
) -> MatterView | MatterNotFound:
    """Let the desk approve, refuse or ask for papers; an approval does what was applied for."""
    before = matters.matter(unit, matter_id)
    if before is None:
        return MatterNotFound()
    moved = matter_service.move(unit, matter_id, event, by, Party.AGENCY, words)
    if moved is None:
        return MatterNotFound()
    if event is not MatterEvent.APPROVE:
        return moved
    if moved.kind is MatterKind.FILING_CANCEL:
        row = unit.db.get(Filing, _CANCEL.validate_json(moved.form)["filing"], with_for_update=True)
        if row is not None and _stands(row, local_day(unit.now)):
            end(unit, row, by)
        done = matter_service.move(unit, matter_id, MatterEvent.TAKE_EFFECT, "system", Party.SYSTEM)
        return done or moved
    make(unit, by, moved)
    return matters.matter(unit, matter_id) or moved


def make(unit: Unit, by: str, matter: MatterView) -> FilingView:
    """Make the filing of an application that was approved; it counts once the platform has taken it."""
    form = FORM.validate_json(matter.form)
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
    return queries.view(row, local_day(unit.now))


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


def _save(unit: Unit, command: SaveFiling) -> FilingApplication | Refusal:
    asked = _asked(unit, command.actor, command.person_id, command.enrolment_id)
    if isinstance(asked, Refusal):
        return asked
    refusal = _form_refusal(unit, command.form, asked)
    if refusal is not None:
        return refusal
    new = NewMatter(
        MatterKind.FILING,
        command.person_id,
        asked.applicant_id,
        asked.right.binding.relation.value if asked.right.binding else "",
        asked.enrolment.area_code,
        asked.enrolment.id,
        FORM.dump_json(command.form).decode(),
    )
    if command.matter_id is None:
        drafts = matters.in_state(unit, asked.enrolment.id, MatterKind.FILING, (MatterState.DRAFT,))
        if len(drafts) >= unit.settings.drafts_max:
            return FilingNotPossible(FilingProblem.TOO_MANY_DRAFTS)
        matter = matter_service.open_draft(unit, asked.by, new)
    else:
        known = matters.matter(unit, command.matter_id)
        own = known is not None and known.person_id == command.person_id
        if known is None or not own or known.kind is not MatterKind.FILING:
            return MatterNotFound()
        changed = matter_service.change_draft(unit, asked.by, command.matter_id, new)
        if changed is None:
            return MatterNotFound()
        matter = changed
    note(unit, asked.right, command.actor, Action.FILE)
    return application(unit, matter)


def _submit(unit: Unit, command: SubmitFiling) -> FilingApplication | Refusal:
    row = matter_service.locked(unit, command.matter_id)
    right = _right(unit, command.actor, None if row is None else row.person_id)
    if isinstance(right, Refusal):
        return right
    matter = None if row is None else matters.matter(unit, command.matter_id)
    if matter is None or matter.state not in (MatterState.DRAFT, MatterState.SUPPLEMENT):
        return MatterNotFound()
    if matter.kind is MatterKind.FILING_CANCEL:
        return _submit_cancel(unit, command, matter)
    people.lock_person(unit, matter.person_id)
    asked = _asked(unit, command.actor, matter.person_id, matter.enrolment_id)
    if isinstance(asked, Refusal):
        return asked
    form = FORM.validate_json(matter.form)
    refusal = _form_refusal(unit, form, asked) or _standing_refusal(unit, form, matter, asked)
    if refusal is not None:
        return refusal
    missing = matter_logic.missing(logic.needed(form), matter.materials)
    if missing:
        return MaterialsMissing(missing)
    if form.route is FilingRoute.PROMISE and not command.promise:
        return FilingNotPossible(FilingProblem.PROMISE_NOT_MADE)
    note(unit, asked.right, command.actor, Action.FILE)
    reviewed = form.route is FilingRoute.MATERIALS
    event = MatterEvent.SUBMIT if reviewed else MatterEvent.APPROVE_AT_ONCE
    if matter.state is MatterState.SUPPLEMENT:
        event = MatterEvent.SUPPLEMENT
    days = asked.rules.review_workdays if reviewed else 0
    keeps = event is MatterEvent.SUPPLEMENT  # the clock goes on where it stopped
    moved = matter_service.move(
        unit,
        matter.id,
        event,
        asked.by,
        Party.APPLICANT,
        due_days=None if keeps else days,
    )
    invariant(moved is not None, "a draft can be submitted")
    if moved is not None and moved.state is MatterState.APPROVED:
        make(unit, asked.by, moved)
    return application(unit, matters.matter(unit, matter.id) or matter)


def _submit_cancel(
    unit: Unit, command: SubmitFiling, matter: MatterView
) -> FilingApplication | Refusal:
    missing = matter_logic.missing(((Requirement.RETURN_PROOF,),), matter.materials)
    if missing:
        return MaterialsMissing(missing)
    by = label(command.actor)
    days = logic.rules_on(matter.area_code, local_day(unit.now), rulebook()).review_workdays
    waits = matter.state is MatterState.SUPPLEMENT
    event = MatterEvent.SUPPLEMENT if waits else MatterEvent.SUBMIT
    moved = matter_service.move(
        unit, matter.id, event, by, Party.APPLICANT, due_days=None if waits else days
    )
    return application(unit, moved or matter)


def application(unit: Unit, matter: MatterView) -> FilingApplication:
    """Return an application with what it would mean, or the filing that it became."""
    return applications(unit, [matter])[0]


def applications(unit: Unit, found: Sequence[MatterView]) -> list[FilingApplication]:
    """Return applications, as many reads for one as for all."""
    made = queries.of_matters(unit, [one.id for one in found])
    ends = {
        one.id: _CANCEL.validate_json(one.form)["filing"]
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
    form = FORM.validate_json(matter.form)
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


def _form_refusal(unit: Unit, form: FilingForm, asked: _Asked) -> Refusal | None:
    place = divisions().get(form.area_code)
    if place is None or not form.area_code.endswith("00"):
        return FilingNotPossible(FilingProblem.UNKNOWN_AREA)
    area = asked.enrolment.area_code
    exempt = logic.exempt_provinces(area, asked.today, rulebook())
    wrong = logic.problem(form, area, exempt, asked.today, asked.rules)
    return None if wrong is None else FilingNotPossible(wrong)


def _standing_refusal(
    unit: Unit, form: FilingForm, matter: MatterView, asked: _Asked
) -> Refusal | None:
    """Return why a form cannot follow what stands already: one filing for one insurance."""
    under_way = matters.in_state(
        unit,
        matter.enrolment_id,
        MatterKind.FILING,
        (MatterState.SUBMITTED, MatterState.SUPPLEMENT, MatterState.APPROVED),
    )
    if any(one.id != matter.id for one in under_way):
        return FilingNotPossible(FilingProblem.UNDER_WAY)
    last = logic.last_day(form, asked.rules)
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


def _asked(unit: Unit, actor: Actor, person_id: str, enrolment_id: str | None) -> _Asked | Refusal:
    right = _right(unit, actor, person_id)
    if isinstance(right, Refusal):
        return right
    today = local_day(unit.now)
    insured = people.enrolments_on(unit, person_id, today)
    chosen = [one for one in insured if enrolment_id in (None, one.id)]
    enrolment = paying_enrolment(chosen)
    if enrolment is None or enrolment.status is not BenefitStatus.ACTIVE:
        return FilingNotPossible(FilingProblem.NOT_INSURED)
    away = outage_now(unit, [enrolment.area_code], Service.MATTERS)
    if away is not None:
        return away
    rules = logic.rules_on(enrolment.area_code, today, rulebook())
    applicant = actor.person_id if isinstance(actor, PersonActor) else person_id
    return _Asked(right, label(actor), applicant, enrolment, rules, today)


def _right(unit: Unit, actor: Actor, person_id: str | None) -> Right | Refusal:
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    if person_id is None:
        return MatterNotFound()
    return authorize(unit, actor, Action.FILE, person_id)


def _on_matter(unit: Unit, command: ActOnMatter, event: MatterEvent) -> MatterView | Refusal:
    row = matter_service.locked(unit, command.matter_id)
    right = _right(unit, command.actor, None if row is None else row.person_id)
    if isinstance(right, Refusal):
        return right
    by = label(command.actor)
    days = None
    if row is not None and event is MatterEvent.APPEAL:
        days = row.due_days
    moved = matter_service.move(
        unit, command.matter_id, event, by, Party.APPLICANT, command.words, due_days=days
    )
    if moved is None:
        return MatterNotFound()
    note(unit, right, command.actor, Action.FILE)
    return moved


def _open_cancel(unit: Unit, row: Filing, actor: Actor, right: Right, person_id: str) -> MatterView:
    """Open the application for cancelling with proof, or return the one that is open already."""
    form = _CANCEL.dump_json({"filing": row.id}).decode()
    waiting = (MatterState.DRAFT, MatterState.SUBMITTED, MatterState.SUPPLEMENT)
    kind = MatterKind.FILING_CANCEL
    for one in matters.in_state(unit, row.enrolment_id, kind, waiting):
        if one.form == form:
            return one
    applicant = actor.person_id if isinstance(actor, PersonActor) else person_id
    relation = right.binding.relation.value if right.binding else ""
    area = people.area_of_enrolment(unit, row.enrolment_id)
    new = NewMatter(
        MatterKind.FILING_CANCEL, person_id, applicant, relation, area, row.enrolment_id, form
    )
    return matter_service.open_draft(unit, label(actor), new)


def _with_rules(
    unit: Unit,
    name: str,
    actor: Actor,
    request_id: str,
    command: object,
    run: Callable[[], FilingApplication | Refusal],
) -> FilingApplication | Refusal:
    if not isinstance(actor, PersonActor):
        return SignInRequired()

    def ruled() -> FilingApplication | Refusal:
        try:
            return run()
        except RuleMissing as missing:
            return RuleNotLoaded(missing.region, missing.rule, missing.day)

    scope = f"{name}:{label(actor)}"
    return once(unit, scope, request_id, command, (FilingApplication,), ruled)


def _person_of(unit: Unit, enrolment_id: str) -> str:
    return people.person_of_enrolment(unit, enrolment_id)


def _stands(row: Filing, today: date) -> bool:
    ended = row.ends is not None and row.ends < today
    return FILING_STATES.after(FilingState(row.state), FilingEvent.CANCEL) is not None and not ended


def _move(row: Filing, event: FilingEvent) -> None:
    after = FILING_STATES.after(FilingState(row.state), event)
    invariant(after is not None, f"a filing that is {row.state} cannot {event}")
    row.state = after or row.state
