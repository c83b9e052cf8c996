"""Use cases of bindings.

Both persons' rows are locked in the order of their ids before limits are counted, so that of two
requests for the last free place one is refused. ``consent_by_code`` keeps what it wrote when it
refuses: a wrong code counts.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, time, timedelta

from sqlmodel import col, func, or_, select

from backend.access.assurance import Demand
from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.identity import face_checks
from backend.identity.contracts import TooManyCodes
from backend.identity.face_contracts import FaceCheckStarted, FacePurpose
from backend.identity.safety import demand
from backend.infra import audit, rates
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.infra.rates import Allowance
from backend.kernel.calendar import SHANGHAI, age_on, local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.notices.service import reached_now, tell, to_phone
from backend.people import queries as people
from backend.proxies import logic, queries
from backend.proxies.contracts import (
    BINDING_STATES,
    BOUND_A_MONTH_MAX,
    OWN_CONSENT_AGE,
    RELATIVES_MAX,
    AlreadyBound,
    AskConsent,
    BeginFaceConsent,
    BindingEvent,
    BindingNotFound,
    BindingNotPossible,
    BindingProblem,
    BindingState,
    BindingView,
    BoundTooOften,
    Consent,
    ConsentAsked,
    ConsentByCode,
    ConsentByFace,
    ConsentCodeWrong,
    ConsentKind,
    ConsentWay,
    DeclineBinding,
    EndBinding,
    NoPhoneForConsent,
    RelativeUnknown,
    RequestBinding,
    Scope,
    TooManyBindingRequests,
    TooManyRelatives,
)
from backend.proxies.model import Binding, ConsentChallenge

PAY_LIMIT_MAX = Fen(1_000_000)
"""The highest limit that an owner may give. Our own choice; no rule was found."""
HOUR = 3600


def request_binding(unit: Unit, command: RequestBinding) -> BindingView | Refusal:
    """Ask to act for a relative. An adult's consent or the desk's review of a child's papers follows."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    guesses, most = f"relative:{actor.person_id}", unit.settings.relative_guesses_per_hour
    wait = rates.wait_for(unit, guesses, most, HOUR)
    if wait is not None:
        return TooManyBindingRequests(wait)
    outcome = once(
        unit,
        f"request_binding:{label(actor)}",
        command.request_id,
        command,
        (BindingView,),
        lambda: _request(unit, command, actor),
    )
    if isinstance(outcome, RelativeUnknown):  # counted here: a refusal undoes what came before it
        rates.hit(unit, guesses, most, HOUR)
    return outcome


def ask_consent(unit: Unit, command: AskConsent) -> ConsentAsked | Refusal:
    """Send the owner a code that they may read out, in a message that says to what it consents."""
    if not isinstance(command.actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.binding_id)
    if row is None or row.delegate_id != command.actor.person_id or not _fits(row, command.kind):
        return BindingNotFound()
    limits = (command.pay_limit_fen, command.pay_day_limit_fen)
    wrong = logic.limits_problem(command.kind, *limits, PAY_LIMIT_MAX)
    if wrong is not None:
        return BindingNotPossible(wrong)
    phone = people.particulars(unit, row.owner_id).phone
    if not phone:
        return NoPhoneForConsent()
    settings = unit.settings
    each, most = (
        settings.consent_codes_per_binding_per_hour,
        settings.consent_codes_per_relative_per_hour,
    )
    allowances = (
        Allowance(f"consent-binding:{row.id}", each, HOUR),
        Allowance(f"consent:{row.owner_id}", most, HOUR),
    )
    wait = rates.hit_all(unit, allowances)
    if wait is not None:
        return TooManyCodes(wait)
    code = unit.resources.ids.digits(6)
    challenge = unit.db.get(ConsentChallenge, row.id) or ConsentChallenge(
        binding_id=row.id, kind="", digest="", expires_at=unit.now
    )
    challenge.kind = command.kind
    challenge.digest = _digest(unit, row.id, code)
    challenge.expires_at = unit.now + timedelta(seconds=unit.settings.consent_code_seconds)
    challenge.attempts = 0
    challenge.pay_limit_fen, challenge.pay_day_limit_fen = limits
    unit.db.add(challenge)
    facts = {
        "code": code,
        "who": people.person(unit, row.delegate_id).masked_name,
        "scopes": list(row.scopes),
        "pay_limit_fen": command.pay_limit_fen,
        "by": reached_now(unit, row.owner_id).value,
    }
    to_phone(unit, phone, f"consent_{command.kind.lower()}", facts)
    unit.db.flush()
    asked = {"binding": row.id, "kind": command.kind.value}
    audit.record(unit, label(command.actor), "binding.ask", f"person:{row.owner_id}", asked)
    return ConsentAsked(row.id, command.kind, challenge.expires_at)


def consent_by_code(unit: Unit, command: ConsentByCode) -> BindingView | Refusal:
    """Take the code that the owner has read out as their consent."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.binding_id)
    if row is None or row.delegate_id != actor.person_id:
        return BindingNotFound()
    challenge = unit.db.exec(
        select(ConsentChallenge).where(ConsentChallenge.binding_id == row.id).with_for_update()
    ).first()
    if challenge is None:
        return ConsentCodeWrong(0)
    challenge.attempts += 1
    left = unit.settings.consent_code_attempts - challenge.attempts
    right = hmac.compare_digest(challenge.digest, _digest(unit, row.id, command.code))
    if not right or left < 0 or challenge.expires_at <= unit.now:
        unit.db.flush()
        return ConsentCodeWrong(max(0, left))
    kind = ConsentKind(challenge.kind)
    limits = (challenge.pay_limit_fen, challenge.pay_day_limit_fen)
    unit.db.delete(challenge)
    unit.db.flush()
    return _consented(unit, row, kind, ConsentWay.CODE_READ_OUT, label(actor), *limits)


def begin_face_consent(unit: Unit, command: BeginFaceConsent) -> FaceCheckStarted | Refusal:
    """Begin a check of the owner's face before the delegate's device."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.binding_id)
    if row is None or row.delegate_id != actor.person_id or not _fits(row, command.kind):
        return BindingNotFound()
    if command.kind is ConsentKind.PAY:
        return BindingNotPossible(BindingProblem.MONEY_BY_ITSELF)
    about = f"{row.id}:{command.kind}"
    return face_checks.open_check(unit, actor, row.owner_id, FacePurpose.CONSENT, about)


def consent_by_face(unit: Unit, command: ConsentByFace) -> BindingView | Refusal:
    """Take the owner's face as their consent to a binding or to another year, and to no money."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.binding_id)
    kind, by_face = command.kind, command.kind is not ConsentKind.PAY
    if row is None or row.delegate_id != actor.person_id or not _fits(row, kind) or not by_face:
        return BindingNotFound()
    about = f"{row.id}:{kind}"
    refused = face_checks.spend(
        unit, actor, command.check_id, row.owner_id, FacePurpose.CONSENT, about
    )
    if refused is not None:
        return refused
    return _consented(unit, row, kind, ConsentWay.FACE, label(actor), None, None)


def consent(unit: Unit, command: Consent) -> BindingView | Refusal:
    """Take an owner's consent on their own device, with a fresh proof."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.binding_id)
    if row is None or row.owner_id != actor.person_id or not _fits(row, command.kind):
        return BindingNotFound()
    limits = (command.pay_limit_fen, command.pay_day_limit_fen)
    wrong = logic.limits_problem(command.kind, *limits, PAY_LIMIT_MAX)
    if wrong is not None:
        return BindingNotPossible(wrong)
    missing = demand(unit, actor, Demand.STRONG)
    if missing is not None:
        return missing
    return _consented(unit, row, command.kind, ConsentWay.OWN_SESSION, label(actor), *limits)


def decline_binding(unit: Unit, command: DeclineBinding) -> BindingView | Refusal:
    """Let the owner say no to a request."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.binding_id)
    if row is None or row.owner_id != actor.person_id:
        return BindingNotFound()
    return _ended(unit, row, BindingEvent.DECLINE, label(actor))


def end_binding(unit: Unit, command: EndBinding) -> BindingView | Refusal:
    """End a binding or a request, by either side, at once and without any proof."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.binding_id)
    if row is None or actor.person_id not in (row.owner_id, row.delegate_id):
        return BindingNotFound()
    owner = row.owner_id == actor.person_id
    event = BindingEvent.END_BY_OWNER if owner else BindingEvent.END_BY_DELEGATE
    return _ended(unit, row, event, label(actor))


def approve_at_desk(unit: Unit, clerk: str, binding_id: str) -> BindingView | Refusal:
    """Take a signed paper, or a guardian's papers about a child, as consent to a binding."""
    return consent_at_desk(unit, clerk, binding_id, ConsentKind.BIND)


def consent_at_desk(
    unit: Unit,
    clerk: str,
    binding_id: str,
    kind: ConsentKind,
    pay_limit: Fen | None = None,
    pay_day_limit: Fen | None = None,
) -> BindingView | Refusal:
    """Take a signed paper as consent to a binding, to another year, or to paying up to a limit."""
    row = _locked(unit, binding_id)
    child = row is not None and row.state == BindingState.PENDING_REVIEW
    if row is None or not (_fits(row, kind) or (child and kind is ConsentKind.BIND)):
        return BindingNotFound()
    wrong = logic.limits_problem(kind, pay_limit, pay_day_limit, PAY_LIMIT_MAX)
    if wrong is not None:
        return BindingNotPossible(wrong)
    way = ConsentWay.GUARDIAN if child else ConsentWay.PAPER
    return _consented(unit, row, kind, way, clerk, pay_limit, pay_day_limit)


def reject_at_desk(unit: Unit, clerk: str, binding_id: str) -> BindingView | Refusal:
    """Refuse a guardian's papers."""
    row = _locked(unit, binding_id)
    return BindingNotFound() if row is None else _ended(unit, row, BindingEvent.REJECT, clerk)


def end_at_desk(unit: Unit, clerk: str, binding_id: str) -> BindingView | Refusal:
    """End a binding for an owner who comes to a counter or calls."""
    row = _locked(unit, binding_id)
    event = BindingEvent.END_BY_AGENCY
    return BindingNotFound() if row is None else _ended(unit, row, event, clerk)


def take_over(unit: Unit, clerk: str, dropped_id: str, kept_id: str) -> int:
    """Follow the merging of two records of one person and return how many bindings go on.

    What a guardian may do for a child goes on with the child's other record. Everything else that the
    dropped record had agreed to or asked for ends; whoever is concerned is told and may ask anew.
    Before: both records are locked.
    """
    either = or_(col(Binding.owner_id) == dropped_id, col(Binding.delegate_id) == dropped_id)
    open_ones = col(Binding.state).in_(
        (BindingState.PENDING_CONSENT, BindingState.PENDING_REVIEW, BindingState.ACTIVE)
    )
    held = select(Binding.delegate_id).where(Binding.owner_id == kept_id, open_ones)
    guardians = {*unit.db.exec(held).all(), kept_id}
    moved = 0
    query = select(Binding).where(either, open_ones).order_by(col(Binding.id)).with_for_update()
    for row in unit.db.exec(query).all():
        guarded = row.owner_id == dropped_id and row.consented_by == ConsentWay.GUARDIAN
        waits = row.owner_id == dropped_id and row.state == BindingState.PENDING_REVIEW
        if (guarded or waits) and row.delegate_id not in guardians:
            row.owner_id = kept_id
            moved += 1
        else:
            _ended(unit, row, BindingEvent.END_BY_AGENCY, clerk)
    unit.db.flush()
    return moved


def _request(unit: Unit, command: RequestBinding, actor: PersonActor) -> BindingView | Refusal:
    owner_id = people.named(unit, command.owner_name, command.owner_id_number)
    if owner_id is None:
        return RelativeUnknown()
    owner = people.particulars(unit, owner_id)
    today = local_day(unit.now)
    delegate = people.particulars(unit, actor.person_id)
    owner_age = age_on(owner.birth_date, today)
    wrong = logic.problem(
        command,
        age_on(delegate.birth_date, today),
        owner_age,
        itself=owner_id == actor.person_id,
        delegate_age_min=unit.settings.delegate_age_min,
    )
    if wrong is not None:
        return BindingNotPossible(wrong)
    _lock_both(unit, actor.person_id, owner_id)
    refusal = _no_place(unit, actor.person_id, owner_id)
    if refusal is not None:
        return refusal
    child = owner_age < OWN_CONSENT_AGE
    settings = unit.settings
    each, most = (
        settings.binding_requests_per_pair_per_day,
        settings.binding_requests_per_relative_per_day,
    )
    allowances = (
        Allowance(f"asked-by:{actor.person_id}:{owner_id}", each, 24 * HOUR),
        Allowance(f"asked:{owner_id}", most, 24 * HOUR),
    )
    wait = rates.hit_all(unit, allowances)
    if wait is not None:
        return TooManyBindingRequests(wait)
    row = Binding(
        id=unit.new_id(),
        owner_id=owner_id,
        delegate_id=actor.person_id,
        relation=command.relation,
        scopes=sorted(scope.value for scope in command.scopes),
        state=BindingState.PENDING_REVIEW if child else BindingState.PENDING_CONSENT,
        requested_at=unit.now,
        expires_on=today + timedelta(days=unit.settings.binding_request_days),
    )
    unit.db.add(row)
    unit.db.flush()
    who = {"who": people.person(unit, actor.person_id).masked_name}
    tell(unit, owner_id, "binding_requested", who)
    facts = {"binding": row.id, "scopes": row.scopes}
    audit.record(unit, label(actor), "binding.request", f"person:{owner_id}", facts)
    return queries.view(unit, row)


def _no_place(unit: Unit, delegate_id: str, owner_id: str) -> Refusal | None:
    """Return why no further binding fits. Before: both persons are locked."""
    acting = queries.of_delegate(unit, delegate_id)
    same = [one.id for one in acting if one.owner_id == owner_id]
    if same:
        return AlreadyBound(same[0])
    if len(acting) >= RELATIVES_MAX:
        return TooManyRelatives(RELATIVES_MAX)
    often = _bound_this_month(unit, owner_id) >= BOUND_A_MONTH_MAX
    return BoundTooOften(BOUND_A_MONTH_MAX) if often else None


def _consented(
    unit: Unit,
    row: Binding,
    kind: ConsentKind,
    way: ConsentWay,
    by: str,
    pay_limit: int | None,
    pay_day_limit: int | None,
) -> BindingView | Refusal:
    """Let a consent take effect. Before: both persons and the binding are locked."""
    if not _fits(row, kind) and way is not ConsentWay.GUARDIAN:
        return BindingNotFound()
    if kind is ConsentKind.PAY:
        row.scopes = sorted({*row.scopes, Scope.PAY.value})
        row.pay_limit_fen, row.pay_day_limit_fen = pay_limit, pay_day_limit
    else:
        refused = _activate(unit, row, kind, way)
        if refused is not None:
            return refused
    unit.db.flush()
    facts = {"binding": row.id, "kind": kind.value, "way": way.value, "pay_limit_fen": pay_limit}
    audit.record(unit, by, "binding.consent", f"person:{row.owner_id}", facts)
    for person_id in (row.owner_id, row.delegate_id):
        tell(unit, person_id, f"binding_{kind.lower()}")
    return queries.view(unit, row)


def _activate(
    unit: Unit, row: Binding, kind: ConsentKind, way: ConsentWay
) -> BindingNotFound | BoundTooOften | None:
    event = {
        ConsentKind.RENEW: BindingEvent.RENEW,
        ConsentKind.BIND: BindingEvent.APPROVE
        if way is ConsentWay.GUARDIAN
        else BindingEvent.CONSENT,
    }[kind]
    after = BINDING_STATES.after(BindingState(row.state), event)
    today = local_day(unit.now)
    if after is None or row.expires_on < today:  # what ran out is asked for anew, and counted anew
        return BindingNotFound()
    if kind is ConsentKind.BIND:
        if _bound_this_month(unit, row.owner_id) >= BOUND_A_MONTH_MAX:
            return BoundTooOften(BOUND_A_MONTH_MAX)
        row.active_since = unit.now
        row.consented_by = way
    row.state = after
    row.expires_on = logic.runs_until(today, people.particulars(unit, row.owner_id).birth_date)
    return None


def _ended(unit: Unit, row: Binding, event: BindingEvent, by: str) -> BindingView | BindingNotFound:
    after = BINDING_STATES.after(BindingState(row.state), event)
    if after is None:
        return BindingNotFound()
    row.state = after
    row.ended_at = unit.now
    unit.db.flush()
    facts = {"binding": row.id, "event": event.value}
    audit.record(unit, by, "binding.end", f"person:{row.owner_id}", facts)
    for person_id in (row.owner_id, row.delegate_id):
        tell(unit, person_id, "binding_ended")
    return queries.view(unit, row)


def _bound_this_month(unit: Unit, owner_id: str) -> int:
    first = local_day(unit.now).replace(day=1)
    since = datetime.combine(first, time.min, SHANGHAI).astimezone(UTC)
    count = select(func.count(func.distinct(col(Binding.delegate_id)))).where(
        Binding.owner_id == owner_id, col(Binding.active_since) >= since
    )
    return int(unit.db.exec(count).one())


def _fits(row: Binding, kind: ConsentKind) -> bool:
    """Tell whether the owner can consent to this now: a child under sixteen to nothing."""
    if kind is ConsentKind.BIND:
        return row.state == BindingState.PENDING_CONSENT
    return row.state == BindingState.ACTIVE and row.consented_by != ConsentWay.GUARDIAN


def _locked(unit: Unit, binding_id: str) -> Binding | None:
    """Return a binding, both its persons and itself locked."""
    found = unit.db.get(Binding, binding_id)
    if found is None:
        return None
    _lock_both(unit, found.owner_id, found.delegate_id)
    query = select(Binding).where(Binding.id == binding_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def _lock_both(unit: Unit, one: str, other: str) -> None:
    invariant(one != other, "nobody is bound to themselves")
    for person_id in sorted((one, other)):
        people.lock_person(unit, person_id)


def _digest(unit: Unit, binding_id: str, code: str) -> str:
    return unit.vault.index(f"{binding_id}:{code}", "consent")
