"""Use cases of the face check: begin, take the pictures in, judge what was measured, tell the outcome.

The measuring lies between ``take`` and ``judge`` and outside of any transaction (``face_reader``). No
picture is kept: what stays of a check are points and the template, sealed, to know a replay by.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, delete, select

from backend.access.assurance import Demand, Proof
from backend.access.contracts import Actor, PersonActor, SignInRequired, TerminalActor
from backend.access.logic import label
from backend.identity import face_logic
from backend.identity.face_contracts import (
    FACE_STATES,
    BeginFaceCheck,
    FaceAction,
    FaceActionNotSeen,
    FaceAdvice,
    FaceAttemptsUsedUp,
    FaceCheckJudged,
    FaceCheckStarted,
    FaceCheckTaken,
    FaceCheckUnknown,
    FaceConsentMissing,
    FaceEvent,
    FaceNotEnrolled,
    FaceNotPassed,
    FacePassed,
    FaceProblem,
    FacePurpose,
    FaceRemoved,
    FaceState,
    FaceTooYoung,
    FaceUnavailable,
    FinishFaceCheck,
    JudgeFaceCheck,
    PassiveCheck,
    RemoveFace,
    TakeFaceCheck,
)
from backend.identity.model import FaceCheck, FaceTemplate
from backend.identity.safety import demand, prove
from backend.infra import audit, rates
from backend.infra.database import Unit
from backend.kernel.calendar import age_on, local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.notices.service import tell
from backend.people import queries as people

ACTIONS = 3
"""Actions of a challenge, after the neutral look."""
PICTURES_MAX = 30
_DAY = 86_400
_BEGUN_PER_ATTEMPT = 5
"""A check may be begun and given up more often than it may be submitted."""
_OWN = (FacePurpose.ENROL, FacePurpose.STEP_UP)


def begin(unit: Unit, command: BeginFaceCheck) -> FaceCheckStarted | Refusal:
    """Tell a signed-in person what to do before the camera, to enrol or to prove themselves."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    if command.purpose not in _OWN:
        return FaceCheckUnknown()
    if command.purpose is FacePurpose.ENROL:
        refusal = _enrol_refusal(unit, actor, command.consent)
        if refusal is not None:
            return refusal
    return open_check(unit, actor, actor.person_id, command.purpose)


def open_check(
    unit: Unit, actor: Actor, person_id: str, purpose: FacePurpose, about: str = ""
) -> FaceCheckStarted | FaceNotEnrolled | FaceAttemptsUsedUp:
    """Open a check of somebody's face for whoever asks, about one thing."""
    if purpose is not FacePurpose.ENROL and unit.db.get(FaceTemplate, person_id) is None:
        return FaceNotEnrolled()
    most, counter = unit.settings.face_attempts_per_day, _counter(actor, person_id)
    wait = rates.wait_for(unit, f"face:{counter}", most, _DAY) or rates.hit(
        unit, f"face-begun:{counter}", most * _BEGUN_PER_ATTEMPT, _DAY
    )
    if wait is not None:
        return FaceAttemptsUsedUp(wait)
    actions = _challenge(unit)
    row = FaceCheck(
        id=unit.new_id(),
        person_id=person_id,
        purpose=purpose,
        holder=_holder(actor),
        about=about,
        actions=[action.value for action in actions],
        state=FaceState.STARTED,
        started_at=unit.now,
        expires_at=unit.now + timedelta(seconds=unit.settings.face_check_seconds),
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"check": row.id, "purpose": purpose.value}
    audit.record(unit, label(actor), "face.begin", f"person:{person_id}", facts)
    return FaceCheckStarted(row.id, purpose, actions, row.expires_at, PICTURES_MAX)


def take(unit: Unit, command: TakeFaceCheck) -> FaceCheckTaken | FaceCheckUnknown:
    """Take the pictures of a check in; each check is submitted once and counts as an attempt."""
    row = _locked(unit, command.actor, command.check_id)
    if row is None or row.state != FaceState.STARTED or row.expires_at <= unit.now:
        return FaceCheckUnknown()
    counter = _counter(command.actor, row.person_id)
    rates.hit(unit, f"face:{counter}", unit.settings.face_attempts_per_day, _DAY)
    _move(row, FaceEvent.SUBMIT)
    unit.db.flush()
    return FaceCheckTaken(row.id, len(row.actions) + 1)


def judge(unit: Unit, command: JudgeFaceCheck) -> FaceCheckJudged:
    """Judge the measured pictures of a check and keep the outcome."""
    query = select(FaceCheck).where(FaceCheck.id == command.check_id).with_for_update()
    row = unit.db.exec(query).one()
    template = unit.db.get(FaceTemplate, row.person_id)
    enrolled: Sequence[float] | None = None
    if row.purpose != FacePurpose.ENROL and template is not None:
        enrolled = json.loads(unit.vault.open(template.template, f"face:{row.person_id}"))
    outcome = face_logic.judge(
        [FaceAction(name) for name in row.actions], command.frames, enrolled, _earlier(unit, row)
    )
    row.problem = outcome.problem
    row.missed = outcome.action
    if outcome.problem is None:
        kept = json.dumps({"template": outcome.template, "shapes": outcome.shapes})
        row.kept = unit.vault.seal(kept, f"face_check:{row.id}")
    passed = outcome.problem is None
    _move(row, FaceEvent.PASS if passed else FaceEvent.FAIL)
    unit.db.flush()
    facts = {"check": row.id, "problem": row.problem}
    audit.record(unit, row.holder, "face.judge", f"person:{row.person_id}", facts)
    return FaceCheckJudged(row.id, FaceState(row.state))


def give_up(unit: Unit, check_id: str) -> FaceCheckJudged:
    """Close a check whose pictures could not be measured."""
    query = select(FaceCheck).where(FaceCheck.id == check_id).with_for_update()
    row = unit.db.exec(query).one()
    _move(row, FaceEvent.FAIL)
    unit.db.flush()
    return FaceCheckJudged(row.id, FaceState.FAILED)


def finish(unit: Unit, command: FinishFaceCheck) -> FacePassed | Refusal:
    """Tell how a check went, and let it count: enrolled, or proven. Asking again answers the same."""
    actor = command.actor
    if not isinstance(actor, PersonActor | TerminalActor):
        return SignInRequired()
    row = _locked(unit, actor, command.check_id)
    if row is None or row.state in (FaceState.STARTED, FaceState.SUBMITTED):
        return FaceCheckUnknown()
    purpose = FacePurpose(row.purpose)
    if row.state == FaceState.FAILED:
        return _why_not(unit, actor, row)
    until = row.expires_at + timedelta(seconds=unit.settings.step_up_seconds)
    if row.state == FaceState.PASSED and until <= unit.now:
        return FaceCheckUnknown()
    if row.state == FaceState.PASSED and purpose in _OWN and isinstance(actor, PersonActor):
        _move(row, FaceEvent.USE)
        if purpose is FacePurpose.ENROL:
            _enrol(unit, row, label(actor))
        prove(unit, actor, Proof.FACE)
        unit.db.flush()
    return FacePassed(row.id, purpose, passive_check(), until)


def spend(
    unit: Unit, actor: Actor, check_id: str, person_id: str, purpose: FacePurpose, about: str = ""
) -> FaceCheckUnknown | None:
    """Use up a check that passed; ``None`` where it was for exactly this, and still counts."""
    row = _locked(unit, actor, check_id)
    wanted = (person_id, purpose, about, FaceState.PASSED)
    if row is None or (row.person_id, row.purpose, row.about, row.state) != wanted:
        return FaceCheckUnknown()
    if row.expires_at + timedelta(seconds=unit.settings.step_up_seconds) <= unit.now:
        return FaceCheckUnknown()
    _move(row, FaceEvent.USE)
    unit.db.flush()
    return None


def remove(unit: Unit, command: RemoveFace) -> FaceRemoved | SignInRequired:
    """Delete the caller's template and all that is kept of their checks. Twice is no error."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    person_id = command.actor.person_id
    row = unit.db.get(FaceTemplate, person_id, with_for_update=True)
    if row is not None:
        unit.db.delete(row)
    checks = select(FaceCheck).where(FaceCheck.person_id == person_id).with_for_update()
    for check in unit.db.exec(checks.order_by(col(FaceCheck.id))).all():
        check.kept = None
        if check.state == FaceState.PASSED:
            _move(check, FaceEvent.USE)
    unit.db.flush()
    if row is not None:
        audit.record(unit, label(command.actor), "face.remove", f"person:{person_id}", {})
        tell(unit, person_id, "face_removed")
    return FaceRemoved(row is not None)


def passive_check() -> PassiveCheck:
    """Say what a model finds in a single picture: nothing, until there is one worth having."""
    return PassiveCheck.NOT_AVAILABLE


def tidy_up(unit: Unit) -> int:
    """Remove checks that are older than replays are looked for and return how many went."""
    oldest = unit.now - timedelta(days=unit.settings.face_replay_days)
    gone = delete(FaceCheck).where(col(FaceCheck.started_at) < oldest)
    return unit.db.exec(gone).rowcount


def _enrol_refusal(unit: Unit, actor: PersonActor, consent: bool) -> Refusal | None:
    birth = people.particulars(unit, actor.person_id).birth_date
    if age_on(birth, local_day(unit.now)) < unit.settings.face_age_min:
        return FaceTooYoung(unit.settings.face_age_min)
    if not consent:
        return FaceConsentMissing()
    return demand(unit, actor, Demand.STRONG)


def _enrol(unit: Unit, row: FaceCheck, by: str) -> None:
    kept = json.loads(unit.vault.open(row.kept or "", f"face_check:{row.id}"))
    sealed = unit.vault.seal(json.dumps(kept["template"]), f"face:{row.person_id}")
    held = unit.db.get(FaceTemplate, row.person_id) or FaceTemplate(
        person_id=row.person_id, template="", enrolled_at=unit.now
    )
    held.template = sealed
    held.enrolled_at = unit.now
    unit.db.add(held)
    unit.db.flush()
    audit.record(unit, by, "face.enrol", f"person:{row.person_id}", {"check": row.id})
    tell(unit, row.person_id, "face_enrolled")


def _why_not(
    unit: Unit, actor: Actor, row: FaceCheck
) -> FaceNotPassed | FaceActionNotSeen | FaceUnavailable:
    if row.problem is None:
        return FaceUnavailable()
    bucket = f"face:{_counter(actor, row.person_id)}"
    left = rates.left(unit, bucket, unit.settings.face_attempts_per_day, _DAY)
    problem = FaceProblem(row.problem)
    if problem is FaceProblem.ACTION_NOT_SEEN and row.missed is not None:
        return FaceActionNotSeen(FaceAction(row.missed), left)
    return FaceNotPassed(problem, FaceAdvice(problem.value), left)


def _challenge(unit: Unit) -> tuple[FaceAction, ...]:
    """Draw actions in a random order, with a turn among them: only a turn shows that a head has depth."""
    left = list(FaceAction)
    drawn: list[FaceAction] = []
    for digit in unit.resources.ids.digits(3 * ACTIONS):
        if len(drawn) < ACTIONS and int(digit) < len(left) * (10 // len(left)):
            drawn.append(left.pop(int(digit) % len(left)))
    while len(drawn) < ACTIONS:  # the digits ran out, which is rare
        drawn.append(left.pop())
    return tuple(drawn)


def _earlier(unit: Unit, row: FaceCheck) -> list[list[face_logic.Shape]]:
    kept = unit.db.exec(
        select(FaceCheck)
        .where(FaceCheck.person_id == row.person_id, col(FaceCheck.kept).is_not(None))
        .where(FaceCheck.id != row.id)
        .order_by(col(FaceCheck.id).desc())
        .limit(unit.settings.face_replays_looked_for)
    ).all()
    read = (
        json.loads(unit.vault.open(check.kept or "", f"face_check:{check.id}")) for check in kept
    )
    return [[tuple((x, y) for x, y in shape) for shape in old["shapes"]] for old in read]


def _locked(unit: Unit, actor: Actor, check_id: str) -> FaceCheck | None:
    query = select(FaceCheck).where(FaceCheck.id == check_id, FaceCheck.holder == _holder(actor))
    return unit.db.exec(query.with_for_update()).first()


def _holder(actor: Actor) -> str:
    """Return who may go on with a check: the session or terminal that began it."""
    if isinstance(actor, PersonActor):
        return f"session:{actor.session_id}"
    return f"terminal:{actor.terminal_id}" if isinstance(actor, TerminalActor) else ""


def _counter(actor: Actor, person_id: str) -> str:
    """Return whose attempts at a face count together, so that nobody uses up the owner's own."""
    match actor:
        case TerminalActor(institution_id=institution_id):
            return f"{person_id}:{institution_id}"
        case PersonActor(person_id=holder) if holder != person_id:
            return f"{person_id}:{holder}"
        case _:
            return person_id


def _move(row: FaceCheck, event: FaceEvent) -> None:
    after = FACE_STATES.after(FaceState(row.state), event)
    invariant(after is not None, f"a face check that is {row.state} cannot {event}")
    row.state = after or row.state
