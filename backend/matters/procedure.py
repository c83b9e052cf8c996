"""Procedures (办理事项): saving, submitting and deciding, the same for whatever is applied for.

A kind of application is a state table, a form, and a ``Procedure`` that says what the form needs, what
stands in its way, and what an approval brings about. Each act locks the application, then the person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from backend.access.contracts import Action, Actor, PersonActor, SignInRequired
from backend.access.logic import label
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.infra.journal import read_content
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.matters import logic, opinions, queries, service
from backend.matters.contracts import (
    ActOnMatter,
    ApplicationNotPossible,
    ApplicationView,
    ApplyProblem,
    MaterialsMissing,
    MatterEvent,
    MatterKind,
    MatterNotFound,
    MatterState,
    MatterView,
    NewMatter,
    Party,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.people import queries as people
from backend.people.contracts import BenefitStatus, EnrolmentView
from backend.people.logic import paying_enrolment
from backend.policies.contracts import Service
from backend.policies.queries import outage_now
from backend.proxies.authority import Right, authorize, note
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded

F = TypeVar("F")
T = TypeVar("T")
WITH_SOMEBODY = (MatterState.SUBMITTED, MatterState.SUPPLEMENT, MatterState.RECHECK)
NOT_DONE = (*WITH_SOMEBODY, MatterState.APPROVED)


@dataclass(frozen=True)
class Asked:
    """Who applies for whom, under which enrolment. ``enrolment`` is ``None`` where none is needed.

    ``enrolment_id`` is empty where somebody is not insured yet.
    """

    right: Right
    by: str
    person_id: str
    applicant_id: str
    area_code: str
    desk_area: str
    enrolment_id: str
    enrolment: EnrolmentView | None
    today: date


@dataclass(frozen=True)
class Judged:
    """What submitting a form takes: papers, working days, or nothing but a promise.

    ``needed``: groups of papers, each met by any one of its own. ``at_once``: nobody reviews it.
    """

    needed: tuple[tuple[Requirement, ...], ...]
    workdays: int
    at_once: bool = False
    promise: bool = False


@dataclass(frozen=True)
class Procedure(Generic[F]):
    """How one kind of application is worked. Its functions may raise ``RuleMissing``.

    ``judge`` is asked on saving and on submitting; ``standing`` only on submitting, the person locked.
    ``take`` brings about what was approved and returns its id, or ``None`` where that comes later.
    ``experts``: how many of one mind look at it before the agency does; ``None``: none.
    ``names``: what codes and ids in a form are called, for whoever reads it.
    ``area``: whose desk begins, by form and insured area; ``None``: that of the insured area.
    ``county``: in which county somebody lives who is not insured yet; ``None``: that of the enrolment.
    ``answers``: whether an approval says something too, as a complaint is answered in words.
    ``enrolled``: whether there has to be an enrolment; ``insured``: whether it has to be in force.
    ``appeal_days``: within how many working days an appeal is answered; ``None``: as the application.
    """

    kind: MatterKind
    form: TypeAdapter[F]
    judge: Callable[[Unit, F, Asked], Judged | Refusal]
    take: Callable[[Unit, str, MatterView, F], str | Refusal | None]
    standing: Callable[[Unit, F, MatterView, Asked], Refusal | None] | None = None
    appeal_days: Callable[[str, date], int] | None = None
    experts: Callable[[str, date], int] | None = None
    insured: bool = True
    enrolled: bool = True
    area: Callable[[F, str], str] | None = None
    county: Callable[[F], str] | None = None
    answers: bool = False
    names: Callable[[Unit, F], dict[str, str]] | None = None

    def read(self, matter: MatterView) -> F:
        """Return the form of an application of this kind. Requires: it is of this kind."""
        invariant(matter.kind is self.kind, f"{matter.kind} is read as {self.kind}")
        return read_content(self.form, matter.form)


def save(
    unit: Unit, procedure: Procedure[F], command: SaveApplication[F]
) -> ApplicationView | Refusal:
    """Store a form as a draft, a new one or one that the applicant goes on with."""
    name = f"apply.save_{procedure.kind.lower()}"
    return keyed(unit, name, command, ApplicationView, lambda: save_now(unit, procedure, command))


def submit(
    unit: Unit, procedure: Procedure[Any], command: SubmitApplication
) -> ApplicationView | Refusal:
    """Submit a draft, or what was missing: approved at once where nothing has to be reviewed."""
    name = f"apply.submit_{procedure.kind.lower()}"
    return keyed(unit, name, command, ApplicationView, lambda: submit_now(unit, procedure, command))


def look(unit: Unit, procedure: Procedure[Any], matter: MatterView) -> ApplicationView:
    """Return an application with what submitting it takes now. Before: the caller may see it.

    Nothing is said of that where it is not to be submitted, or could not be any more.
    """
    waits = matter.state in (MatterState.DRAFT, MatterState.SUPPLEMENT)
    asked = _seen(unit, procedure, matter) if waits else None
    try:
        judged = None if asked is None else procedure.judge(unit, procedure.read(matter), asked)
    except RuleMissing:
        judged = None
    return _view(unit, procedure, matter, judged if isinstance(judged, Judged) else None)


def decide(
    unit: Unit,
    procedure: Procedure[Any],
    by: str,
    matter_id: str,
    event: MatterEvent,
    words: str,
) -> MatterView | Refusal:
    """Let the desk approve, refuse or ask for papers; an approval does what was applied for.

    Before: the caller has seen to whose desk it is. What cannot be done any more is refused, and the
    caller's transaction undoes the move.
    """
    moved = service.move(unit, matter_id, event, by, Party.AGENCY, words)
    if moved is None:
        return MatterNotFound()
    if moved.state is not MatterState.APPROVED:
        return moved
    return _take(unit, procedure, by, moved)


def give_opinion(
    unit: Unit, procedure: Procedure[Any], by: str, matter_id: str, meets: bool, words: str
) -> MatterView | Refusal:
    """Let an expert speak; once enough are of one mind the application moves on.

    Before: the caller has seen to who may speak.
    """
    row = service.locked(unit, matter_id)
    matter = queries.matter(unit, matter_id)
    if (
        row is None
        or matter is None
        or matter.state is not MatterState.SUBMITTED
        or procedure.experts is None
    ):
        return MatterNotFound()
    said = opinions.give(unit, matter, by, meets, words)
    return said if isinstance(said, Refusal) else _as_found(unit, procedure, matter)


def withdraw(unit: Unit, command: ActOnMatter) -> MatterView | Refusal:
    """Take an application back that is not decided yet."""
    return _on_own(unit, command, MatterEvent.WITHDRAW, None)


def appeal(unit: Unit, procedure: Procedure[Any], command: ActOnMatter) -> MatterView | Refusal:
    """Ask for another decision, which somebody else gives."""
    return _on_own(unit, command, MatterEvent.APPEAL, procedure)


def open_own(
    unit: Unit,
    actor: Actor,
    right: Right,
    kind: MatterKind,
    person_id: str,
    enrolment_id: str,
    form: str,
) -> MatterView:
    """Open a draft for somebody; before: ``right`` is the caller's to apply for them."""
    applicant = right.delegate_id or person_id
    relation = right.binding.relation.value if right.binding else ""
    area = people.area_of_enrolment(unit, enrolment_id)
    new = NewMatter(kind, person_id, applicant, relation, area, enrolment_id, form)
    return service.open_draft(unit, label(actor), new)


def right_of(unit: Unit, actor: Actor, person_id: str | None) -> Right | Refusal:
    """Return by what right somebody applies for a person, or why not."""
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    if person_id is None:
        return MatterNotFound()
    return authorize(unit, actor, Action.FILE, person_id)


def save_now(
    unit: Unit, procedure: Procedure[F], command: SaveApplication[F]
) -> ApplicationView | Refusal:
    """Do what ``save`` does, within a request key that the caller has taken."""
    asked = _asked(
        unit, procedure, command.actor, command.person_id, command.enrolment_id, command.form
    )
    if isinstance(asked, Refusal):
        return asked
    judged = procedure.judge(unit, command.form, asked)
    if isinstance(judged, Refusal):
        return judged
    relation = asked.right.binding.relation.value if asked.right.binding else ""
    new = NewMatter(
        procedure.kind,
        command.person_id,
        asked.applicant_id,
        relation,
        asked.desk_area,
        asked.enrolment_id,
        procedure.form.dump_json(command.form).decode(),
        "" if procedure.county is None else procedure.county(command.form),
    )
    if command.matter_id is None:
        drafts = queries.of_person_in(unit, new.person_id, new.kind, (MatterState.DRAFT,))
        if len(drafts) >= unit.settings.drafts_max:
            return ApplicationNotPossible(ApplyProblem.TOO_MANY_DRAFTS)
        matter = service.open_draft(unit, asked.by, new)
    else:
        known = queries.matter(unit, command.matter_id)
        own = known is not None and known.person_id == command.person_id
        if known is None or not own or known.kind is not procedure.kind:
            return MatterNotFound()
        changed = service.change_draft(unit, asked.by, command.matter_id, new)
        if changed is None:
            return MatterNotFound()
        matter = changed
    note(unit, asked.right, command.actor, Action.FILE)
    return _view(unit, procedure, matter, judged)


def submit_now(
    unit: Unit, procedure: Procedure[F], command: SubmitApplication
) -> ApplicationView | Refusal:
    """Do what ``submit`` does, within a request key that the caller has taken."""
    row = service.locked(unit, command.matter_id)
    right = right_of(unit, command.actor, None if row is None else row.person_id)
    if isinstance(right, Refusal):
        return right
    matter = None if row is None else queries.matter(unit, command.matter_id)
    if (
        matter is None
        or matter.kind is not procedure.kind
        or matter.state not in (MatterState.DRAFT, MatterState.SUPPLEMENT)
    ):
        return MatterNotFound()
    people.lock_person(unit, matter.person_id)
    form = procedure.read(matter)
    asked = _asked(unit, procedure, command.actor, matter.person_id, matter.enrolment_id, form)
    if isinstance(asked, Refusal):
        return asked
    judged = procedure.judge(unit, form, asked)
    if isinstance(judged, Refusal):
        return judged
    if procedure.standing is not None:
        refusal = procedure.standing(unit, form, matter, asked)
        if refusal is not None:
            return refusal
    missing = logic.missing(judged.needed, matter.materials)
    if missing:
        return MaterialsMissing(missing)
    if judged.promise and not command.promise:
        return ApplicationNotPossible(ApplyProblem.PROMISE_NOT_MADE)
    note(unit, asked.right, command.actor, Action.FILE)
    moved = _moved_on(unit, procedure, matter, judged, asked.by)
    return moved if isinstance(moved, Refusal) else _view(unit, procedure, moved, None)


def _moved_on(
    unit: Unit, procedure: Procedure[F], matter: MatterView, judged: Judged, by: str
) -> MatterView | Refusal:
    event = MatterEvent.APPROVE_AT_ONCE if judged.at_once else MatterEvent.SUBMIT
    if matter.state is MatterState.SUPPLEMENT:
        event = MatterEvent.SUPPLEMENT
    # with a supplement the clock goes on where it stopped
    days = None if event is MatterEvent.SUPPLEMENT else judged.workdays
    moved = service.move(unit, matter.id, event, by, Party.APPLICANT, due_days=days)
    if moved is None:
        return MatterNotFound()
    if procedure.experts is not None and moved.state is MatterState.SUBMITTED:
        return _as_found(
            unit, procedure, moved
        )  # what experts said of it before the supplement stands
    if moved.state is not MatterState.APPROVED:
        return moved
    return _take(unit, procedure, by, moved)


def _as_found(unit: Unit, procedure: Procedure[F], matter: MatterView) -> MatterView:
    """Move an application on as experts have found, where enough of them are of one mind."""
    if procedure.experts is None:
        return matter
    needed = procedure.experts(matter.area_code, local_day(unit.now))
    said = opinions.of_matters(unit, [matter.id]).get(matter.id, [])
    in_round = opinions.round_of(matter)
    found = opinions.verdict(said, in_round, needed)
    if found is None:
        return matter
    event = MatterEvent.AGREE if found else MatterEvent.REJECT
    reasons = [one.words for one in said if one.round == in_round and one.meets is found]
    words = "" if found else "；".join(filter(None, reasons))
    return service.move(unit, matter.id, event, "experts", Party.AGENCY, words) or matter


def _take(unit: Unit, procedure: Procedure[F], by: str, matter: MatterView) -> MatterView | Refusal:
    result = procedure.take(unit, by, matter, procedure.read(matter))
    if isinstance(result, Refusal):
        return result
    if result is None:
        return queries.matter(unit, matter.id) or matter
    done = service.move(
        unit, matter.id, MatterEvent.TAKE_EFFECT, "system", Party.SYSTEM, result_id=result
    )
    return done or matter


def _seen(unit: Unit, procedure: Procedure[F], matter: MatterView) -> Asked | None:
    """Return who asks for what, where an application is only looked at."""
    form = procedure.read(matter)
    asked = _enrolled(unit, procedure, Right(), "", matter.person_id, matter.enrolment_id, form)
    return None if isinstance(asked, Refusal) else asked


def _asked(
    unit: Unit,
    procedure: Procedure[F],
    actor: Actor,
    person_id: str,
    enrolment_id: str | None,
    form: F,
) -> Asked | Refusal:
    right = right_of(unit, actor, person_id)
    if isinstance(right, Refusal):
        return right
    asked = _enrolled(unit, procedure, right, label(actor), person_id, enrolment_id, form)
    if isinstance(asked, Refusal):
        return asked
    away = outage_now(unit, [asked.area_code], Service.MATTERS)
    return asked if away is None else away


def _enrolled(
    unit: Unit,
    procedure: Procedure[F],
    right: Right,
    by: str,
    person_id: str,
    enrolment_id: str | None,
    form: F,
) -> Asked | Refusal:
    today = local_day(unit.now)
    applicant = right.delegate_id or person_id
    if not procedure.enrolled and procedure.area is not None:
        area = procedure.area(form, "")
        return Asked(right, by, person_id, applicant, area, area, "", None, today)
    insured = people.enrolments_on(unit, person_id, today)
    enrolment = paying_enrolment([one for one in insured if enrolment_id in (None, one.id)])
    if procedure.insured and (enrolment is None or enrolment.status is not BenefitStatus.ACTIVE):
        return ApplicationNotPossible(ApplyProblem.NOT_INSURED)
    known = enrolment_id if enrolment is None else enrolment.id
    if known is None:
        return ApplicationNotPossible(ApplyProblem.NOT_INSURED)
    area = people.area_of_enrolment(unit, known)
    desk = area if procedure.area is None else procedure.area(form, area)
    return Asked(right, by, person_id, applicant, area, desk, known, enrolment, today)


def _on_own(
    unit: Unit, command: ActOnMatter, event: MatterEvent, procedure: Procedure[Any] | None
) -> MatterView | Refusal:
    row = service.locked(unit, command.matter_id)
    right = right_of(unit, command.actor, None if row is None else row.person_id)
    if isinstance(right, Refusal):
        return right
    by = label(command.actor)
    days = None
    if row is not None and procedure is not None:
        days = row.due_days
        if procedure.appeal_days is not None:
            days = procedure.appeal_days(row.area_code, local_day(unit.now))
    moved = service.move(
        unit, command.matter_id, event, by, Party.APPLICANT, command.words, due_days=days
    )
    if moved is None:
        return MatterNotFound()
    note(unit, right, command.actor, Action.FILE)
    return moved


def keyed(
    unit: Unit,
    name: str,
    command: SaveApplication[Any] | SubmitApplication,
    answer: type[T],
    run: Callable[[], T | Refusal],
) -> T | Refusal:
    """Run a use case of an application once for its request key; a missing rule is a refusal."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()

    def ruled() -> T | Refusal:
        try:
            return run()
        except RuleMissing as missing:
            return RuleNotLoaded(missing.region, missing.rule, missing.day)

    scope = f"{name}:{label(command.actor)}"
    return once(unit, scope, command.request_id, command, (answer,), ruled)


def names_in(unit: Unit, procedure: Procedure[Any], matter: MatterView) -> dict[str, str]:
    """Return what the codes and ids in an application's form are called."""
    return {} if procedure.names is None else procedure.names(unit, procedure.read(matter))


def _view(
    unit: Unit, procedure: Procedure[Any], matter: MatterView, judged: Judged | None
) -> ApplicationView:
    names = names_in(unit, procedure, matter)
    if judged is None:
        return ApplicationView(matter, names=names)
    missing = logic.missing(judged.needed, matter.materials)
    return ApplicationView(matter, missing, judged.workdays, judged.at_once, judged.promise, names)
