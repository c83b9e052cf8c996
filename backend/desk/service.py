"""Use cases of the desk: every act asks first whether it belongs to a region of the one who acts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlmodel import select

from backend.access.contracts import Actor, Role
from backend.access.logic import label, serves
from backend.applications import service as applications
from backend.cards import service as cards
from backend.cards.contracts import CardLossView
from backend.claims import applying as claims
from backend.desk import queries
from backend.desk.contracts import (
    PROPOSAL_STATES,
    ActKind,
    BindingDecision,
    DecideBinding,
    DecideDuplicate,
    DecideMatter,
    DecideProposal,
    ExpertsFirst,
    FindPerson,
    Found,
    GiveOpinion,
    JudgeMaterial,
    MatterAtDesk,
    MatterDecision,
    NobodyFound,
    Payload,
    ProposalEvent,
    ProposalNotFound,
    ProposalState,
    ProposalView,
    Propose,
    ProposedAlready,
    ProposeMerge,
    ReckonedOtherwise,
    RecordDocument,
    RecordPayout,
    ReissueCard,
    RejectRegistration,
    RetryUpload,
    SecondPersonNeeded,
    VouchDevice,
    WordsMissing,
)
from backend.desk.model import Proposal
from backend.enrolment import transferring as transfers
from backend.enrolment.contracts import LetterOfArea
from backend.filings import queries as filing_queries
from backend.filings import uploads
from backend.filings.contracts import FilingNotFound, FilingView
from backend.identity import phone_change, registration, safety
from backend.identity import queries as identity
from backend.identity.registration_contracts import RegistrationNotFound
from backend.identity.safety_contracts import SessionUnknown, SteppedUp
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.matters import materials
from backend.matters import queries as matters
from backend.matters import service as matter_service
from backend.matters.contracts import (
    MaterialVerdict,
    MaterialView,
    MatterEvent,
    MatterNotFound,
    MatterState,
    MatterView,
)
from backend.merging import service as merging
from backend.merging.contracts import DuplicateNotFound, Merged
from backend.people import documents
from backend.people import queries as people
from backend.people.contracts import PersonView
from backend.people.document_contracts import DocumentView, DuplicateView
from backend.proxies import queries as bindings
from backend.proxies import service as proxies
from backend.proxies.contracts import BindingNotFound, BindingView, ConsentKind

_WORDS_MAX = 500


def find_person(unit: Unit, command: FindPerson) -> Found | Refusal:
    """Return who stands at the counter, by the document in hand. The look is written down."""
    refusal = serves_somewhere(command.actor, Role.CLERK)
    if refusal is not None:
        return refusal
    found = people.named(unit, command.name, command.number)
    if found is None or _refusal(unit, command.actor, Role.CLERK, found) is not None:
        return NobodyFound()  # of another region is not told apart from nobody
    audit.record(unit, label(command.actor), "desk.look", f"person:{found}", {})
    return Found(
        people.person(unit, found),
        tuple(people.documents(unit, found)),
        tuple(identity.devices(unit, found)),
    )


def serves_somewhere(actor: Actor, role: Role) -> Refusal | None:
    """Return why somebody has a role nowhere, ``None`` where they have it in some region."""
    regions = {duty.region for duty in getattr(actor, "duties", ()) if duty.role is role}
    return serves(actor, role, regions)


def vouch_device(unit: Unit, command: VouchDevice) -> SteppedUp | SessionUnknown | Refusal:
    """Let a clerk vouch for who holds a device."""
    refusal = _refusal(unit, command.actor, Role.CLERK, command.person_id)
    if refusal is not None:
        return refusal
    return safety.vouch(unit, label(command.actor), command.person_id, command.session_id)


def reissue_card(unit: Unit, command: ReissueCard) -> CardLossView | Refusal:
    """Hand out the new card of somebody whose old one was reported lost for good."""
    refusal = _refusal(unit, command.actor, Role.CLERK, command.person_id)
    if refusal is not None:
        return refusal
    if not people.exists(unit, command.person_id):
        return NobodyFound()
    return cards.reissue(unit, label(command.actor), command.person_id)


def record_document(unit: Unit, command: RecordDocument) -> list[DocumentView] | Refusal:
    """Record a document beside the ID number of somebody."""
    refusal = _refusal(unit, command.actor, Role.CLERK, command.person_id)
    if refusal is not None:
        return refusal
    if not people.exists(unit, command.person_id):
        return NobodyFound()
    by = label(command.actor)
    return documents.record_document(unit, by, command.person_id, command.document)


def decide_binding(unit: Unit, command: DecideBinding) -> BindingView | Refusal:
    """Approve, refuse, renew or end a binding, the papers at hand."""
    owner_id = bindings.owner_of(unit, command.binding_id)
    if owner_id is None:
        return serves_somewhere(command.actor, Role.CLERK) or BindingNotFound()
    refusal = _refusal(unit, command.actor, Role.CLERK, owner_id)
    if refusal is not None:
        return refusal
    by, binding_id = label(command.actor), command.binding_id
    match command.decision:
        case BindingDecision.APPROVE:
            return proxies.approve_at_desk(unit, by, binding_id)
        case BindingDecision.REJECT:
            return proxies.reject_at_desk(unit, by, binding_id)
        case BindingDecision.RENEW:
            return proxies.consent_at_desk(unit, by, binding_id, ConsentKind.RENEW)
        case BindingDecision.END:
            return proxies.end_at_desk(unit, by, binding_id)


def reject_registration(
    unit: Unit, command: RejectRegistration
) -> PersonView | RegistrationNotFound | Refusal:
    """Refuse a registration; its phone is told and gets no account."""
    person_id = registration.whose(unit, command.registration_id)
    if person_id is None:
        return serves_somewhere(command.actor, Role.CLERK) or RegistrationNotFound()
    refusal = _refusal(unit, command.actor, Role.CLERK, person_id)
    if refusal is not None:
        return refusal
    rejected = registration.reject(unit, label(command.actor), command.registration_id)
    return people.person(unit, person_id) if rejected is None else rejected


# -- applications ----------------------------------------------------------------------------------


def look_at_matter(unit: Unit, actor: Actor, matter_id: str) -> MatterAtDesk | Refusal:
    """Return an application to a clerk of its region; the look is written down."""
    matter = matters.matter(unit, matter_id)
    refusal = may_look(actor, matter)
    if refusal is not None or matter is None:
        return refusal or MatterNotFound()
    audit.record(
        unit, label(actor), "matter.look", f"person:{matter.person_id}", {"matter": matter.id}
    )
    return queries.matter_at_desk(unit, matter)


def judge_material(unit: Unit, command: JudgeMaterial) -> MaterialView | Refusal:
    """Say of a paper whether it will do. One that will not says why."""
    refusal = _of_matter(command.actor, matters.matter_of_material(unit, command.material_id))
    if refusal is not None:
        return refusal
    if command.verdict is MaterialVerdict.REFUSED and not command.reason.strip():
        return WordsMissing()
    by = label(command.actor)
    matter = matters.matter_of_material(unit, command.material_id)
    held = None if matter is None else _taken(unit, by, matter)
    if held is not None:
        return held
    return materials.judge(unit, by, command.material_id, command.verdict, command.reason)


def decide_matter(unit: Unit, command: DecideMatter) -> MatterAtDesk | Refusal:
    """Approve, refuse or ask; an appeal is decided by somebody else than the one it is against."""
    matter = matters.matter(unit, command.matter_id)
    asks = command.decision is MatterDecision.ASK
    refusal = (may_look if asks else _of_matter)(command.actor, matter)
    if refusal is not None or matter is None:
        return refusal or MatterNotFound()
    by = label(command.actor)
    says = applications.PROCEDURES[matter.kind].answers
    if (says or command.decision is not MatterDecision.APPROVE) and not command.words.strip():
        return WordsMissing()
    if matter.decided_by == by:
        return SecondPersonNeeded()
    held = queries.held_by_another(unit, by, matter)
    if held is not None:
        return held
    if (
        matter.kind in applications.EXPERT_KINDS
        and matter.state is MatterState.SUBMITTED
        and not asks
    ):
        return ExpertsFirst()
    event = MatterEvent(command.decision.value)
    moved = applications.decide(unit, by, matter, event, command.words)
    return moved if isinstance(moved, Refusal) else queries.matter_at_desk(unit, moved)


def give_opinion(unit: Unit, command: GiveOpinion) -> MatterAtDesk | Refusal:
    """Say as an expert whether an application meets its condition, and why."""
    matter = matters.matter(unit, command.matter_id)
    if matter is None or matter.kind not in applications.EXPERT_KINDS:
        return serves_somewhere(command.actor, Role.EXPERT) or MatterNotFound()
    refusal = serves(command.actor, Role.EXPERT, matter.desks)
    if refusal is not None:
        return refusal
    if not command.words.strip():
        return WordsMissing()
    by = label(command.actor)
    moved = applications.give_opinion(unit, by, matter, command.meets, command.words)
    return moved if isinstance(moved, Refusal) else queries.matter_at_desk(unit, moved)


def record_payout(unit: Unit, command: RecordPayout) -> MatterAtDesk | Refusal:
    """Record that the bank has paid a claim out, or why it has not."""
    matter = matters.matter(unit, command.matter_id)
    if matter is None:
        return serves_somewhere(command.actor, Role.CHECKER) or MatterNotFound()
    refusal = serves(command.actor, Role.CHECKER, matter.desks)
    if refusal is not None:
        return refusal
    if not command.paid and not command.words.strip():
        return WordsMissing()
    by = label(command.actor)
    done = claims.record_payout(unit, by, matter.id, command.paid, command.words)
    if isinstance(done, Refusal):
        unit.db.rollback()
        return done
    return queries.matter_at_desk(unit, done)


def retry_upload(unit: Unit, command: RetryUpload) -> FilingView | Refusal:
    """Have a failed upload tried at once."""
    found = filing_queries.filing(unit, command.filing_id)
    if found is None:
        return serves_somewhere(command.actor, Role.CLERK) or FilingNotFound()
    desks = people.desks_of_enrolment(unit, found.enrolment_id)
    refusal = serves(command.actor, Role.CLERK, desks)
    if refusal is not None:
        return refusal
    if not uploads.retry_now(unit, found.id):
        return FilingNotFound()
    return filing_queries.filing(unit, found.id) or found


def _taken(unit: Unit, by: str, matter: MatterView) -> Refusal | None:
    """Let who begins to work on an application hold it; return why they cannot."""
    held = queries.held_by_another(unit, by, matter)
    if held is None and matter.holder != by:
        matter_service.hold(unit, by, matter.id, by)
    return held


def may_look(actor: Actor, matter: MatterView | None) -> Refusal | None:
    """Return why somebody may not look at an application: clerks, and experts at what they speak about."""
    refusal = _of_matter(actor, matter)
    if refusal is None or matter is None or matter.kind not in applications.EXPERT_KINDS:
        return refusal
    return None if serves(actor, Role.EXPERT, matter.desks) is None else refusal


def _of_matter(actor: Actor, matter: MatterView | None) -> Refusal | None:
    """Return why somebody may not work on an application: it is of the insured area, and the county."""
    if matter is None:
        return serves_somewhere(actor, Role.CLERK) or MatterNotFound()
    return serves(actor, Role.CLERK, matter.desks)


# -- two records of one person ---------------------------------------------------------------------


def propose_merge(unit: Unit, command: ProposeMerge) -> DuplicateView | Refusal:
    """Say that two records are one person's."""
    refusal = _of_case(unit, command.actor, Role.CLERK, command.case_id)
    if refusal is not None:
        return refusal
    by = label(command.actor)
    return merging.propose(unit, by, command.case_id, command.kept_id, command.words)


def withdraw_merge(unit: Unit, command: DecideDuplicate) -> DuplicateView | Refusal:
    """Take the proposal of a merge back, or do not agree with it."""
    refusal = _of_case(unit, command.actor, Role.CLERK, command.case_id) and _of_case(
        unit, command.actor, Role.CHECKER, command.case_id
    )
    if refusal is not None:
        return refusal
    return merging.withdraw(unit, label(command.actor), command.case_id)


def confirm_merge(unit: Unit, command: DecideDuplicate) -> Merged | Refusal:
    """Merge two records, as the second person."""
    refusal = _of_case(unit, command.actor, Role.CHECKER, command.case_id)
    if refusal is not None:
        return refusal
    return merging.confirm(unit, label(command.actor), command.case_id)


def tell_apart(unit: Unit, command: DecideDuplicate) -> DuplicateView | Refusal:
    """Say that two records are two people's."""
    refusal = _of_case(unit, command.actor, Role.CLERK, command.case_id)
    if refusal is not None:
        return refusal
    return merging.differ(unit, label(command.actor), command.case_id, command.words)


# -- what takes two persons ------------------------------------------------------------------------


def propose(unit: Unit, command: Propose) -> ProposalView | Refusal:
    """Propose what takes two persons. What would be refused on confirming is refused now."""
    person_id = _whose(unit, command.kind, command.payload)
    if person_id is None:
        return serves_somewhere(command.actor, Role.CLERK) or _nothing(command.kind)
    about = command.payload.subject_id
    refusal = _out_of_reach(unit, command.actor, Role.CLERK, command.kind, about, person_id)
    if refusal is not None:
        return refusal
    if not command.words.strip():
        return WordsMissing()
    waiting = unit.db.exec(
        select(Proposal).where(
            Proposal.kind == command.kind,
            Proposal.about_id == command.payload.subject_id,
            Proposal.state == ProposalState.PROPOSED,
        )
    ).first()
    if waiting is not None:
        return ProposedAlready(waiting.proposed_at)
    by, payload = label(command.actor), command.payload
    held = _held(unit, by, command.kind, about)
    if held is not None:
        return held
    outcome = _act(unit, command.kind, payload, by)
    unit.db.rollback()  # it was tried, and waits for the second person
    if isinstance(outcome, Refusal):
        return outcome
    payload = _as_tried(command.kind, payload, outcome)
    if not _noted(unit, command.kind, by, about):
        unit.db.rollback()
        return MatterNotFound()
    proposal_id = unit.new_id()
    sealed = queries.PAYLOAD.dump_json(payload).decode()
    row = Proposal(
        id=proposal_id,
        kind=command.kind,
        state=ProposalState.PROPOSED,
        person_id=person_id,
        about_id=command.payload.subject_id,
        payload=unit.vault.seal(sealed, f"proposal:{proposal_id}"),
        words=command.words.strip()[:_WORDS_MAX],
        proposed_by=by,
        proposed_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"proposal": row.id, "kind": row.kind, "words": row.words}
    audit.record(unit, by, "proposal.propose", f"person:{person_id}", facts)
    return queries.view(unit, row)


def confirm(unit: Unit, command: DecideProposal) -> ProposalView | Refusal:
    """Do what somebody else has proposed, in the same transaction."""
    row = _locked(unit, command.proposal_id)
    if row is None:
        return serves_somewhere(command.actor, Role.CHECKER) or ProposalNotFound()
    kind, payload = ActKind(row.kind), queries.payload(unit, row)
    refusal = _out_of_reach(
        unit, command.actor, Role.CHECKER, kind, payload.subject_id, row.person_id
    )
    if refusal is not None:
        return refusal
    by = label(command.actor)
    if row.proposed_by == by:
        return SecondPersonNeeded()
    if _whose(unit, kind, payload) is None:  # the record was merged into another meanwhile
        return _nothing(kind)
    outcome = _act(unit, kind, payload, by)
    if kind is ActKind.CLAIM and not isinstance(outcome, Refusal):
        same = outcome.payable_fen == payload.payable_fen
        outcome = outcome if same else ReckonedOtherwise(outcome.payable_fen)
    if isinstance(outcome, Refusal):
        unit.db.rollback()
        return outcome
    return _decided(unit, row, ProposalEvent.CONFIRM, by)


def withdraw(unit: Unit, command: DecideProposal) -> ProposalView | Refusal:
    """Take a proposal back, or do not agree with it; nothing is done."""
    row = _locked(unit, command.proposal_id)
    if row is None:
        return serves_somewhere(command.actor, Role.CLERK) or ProposalNotFound()
    refusal = _refusal(unit, command.actor, Role.CLERK, row.person_id) and _refusal(
        unit, command.actor, Role.CHECKER, row.person_id
    )
    if refusal is not None:
        return refusal
    by = label(command.actor)
    if row.kind == ActKind.CLAIM:
        claims.returned(unit, by, row.about_id)
    if row.kind == ActKind.TRANSFER:
        transfers.returned(unit, by, row.about_id)
    return _decided(unit, row, ProposalEvent.WITHDRAW, by)


def _act(unit: Unit, kind: ActKind, payload: Payload, by: str) -> Any:
    """Do what a proposal says and return what its package answers."""
    subject = payload.subject_id
    match kind:
        case ActKind.REGISTRATION:
            return registration.approve(unit, by, subject)
        case ActKind.BINDING_PAYMENT:
            limits = (payload.pay_limit_fen, payload.pay_day_limit_fen)
            return proxies.consent_at_desk(unit, by, subject, ConsentKind.PAY, *limits)
        case ActKind.ID_NUMBER:
            return documents.give_id_number(unit, by, subject, payload.id_number)
        case ActKind.PHONE:
            return phone_change.change_at_desk(unit, by, subject, payload.phone)
        case ActKind.CLAIM:
            return claims.book(unit, by, subject, payload.lines, payload.continues_id)
        case ActKind.TRANSFER:
            told = payload.months is not None and payload.balance_fen is not None
            letter = LetterOfArea(payload.months or 0, payload.balance_fen or Fen(0))
            return transfers.take_over(unit, by, subject, letter if told else None)


def _as_tried(kind: ActKind, payload: Payload, outcome: Any) -> Payload:
    """Return a payload with what trying it came to, for the second person to see."""
    if kind is ActKind.CLAIM:
        total = outcome.settlement.total_fen
        return replace(payload, total_fen=total, payable_fen=outcome.payable_fen)
    if kind is ActKind.TRANSFER:
        return replace(payload, months=outcome.months, balance_fen=outcome.balance_fen)
    return payload


def _held(unit: Unit, by: str, kind: ActKind, about_id: str) -> Refusal | None:
    """Return why somebody else works on the application that a proposal is about."""
    found = matters.matter(unit, about_id) if kind in (ActKind.CLAIM, ActKind.TRANSFER) else None
    return None if found is None else queries.held_by_another(unit, by, found)


def _noted(unit: Unit, kind: ActKind, by: str, about_id: str) -> bool:
    """Note with what a proposal is about that it waits now; ``False``: another has at this moment."""
    if kind is ActKind.CLAIM:
        return claims.reckoned(unit, by, about_id)
    return kind is not ActKind.TRANSFER or transfers.handed_on(unit, by, about_id)


def _whose(unit: Unit, kind: ActKind, payload: Payload) -> str | None:
    """Return whom a proposal is about, ``None`` where there is no such thing."""
    match kind:
        case ActKind.REGISTRATION:
            return registration.whose(unit, payload.subject_id)
        case ActKind.BINDING_PAYMENT:
            return bindings.owner_of(unit, payload.subject_id)
        case ActKind.ID_NUMBER | ActKind.PHONE:
            return payload.subject_id if people.exists(unit, payload.subject_id) else None
        case ActKind.CLAIM:
            found = claims.open_for(unit, payload.subject_id)
            return None if found is None else found.person_id
        case ActKind.TRANSFER:
            found = transfers.waiting(unit, payload.subject_id)
            return None if found is None else found.person_id


def _nothing(kind: ActKind) -> Refusal:
    if kind is ActKind.REGISTRATION:
        return RegistrationNotFound()
    if kind in (ActKind.CLAIM, ActKind.TRANSFER):
        return MatterNotFound()
    return BindingNotFound() if kind is ActKind.BINDING_PAYMENT else NobodyFound()


def _decided(unit: Unit, row: Proposal, event: ProposalEvent, by: str) -> ProposalView:
    row.state = PROPOSAL_STATES.after(ProposalState(row.state), event) or row.state
    row.decided_by, row.decided_at = by, unit.now
    unit.db.flush()
    facts = {"proposal": row.id, "kind": row.kind}
    audit.record(unit, by, f"proposal.{event.lower()}", f"person:{row.person_id}", facts)
    return queries.view(unit, row)


def _locked(unit: Unit, proposal_id: str) -> Proposal | None:
    query = select(Proposal).where(
        Proposal.id == proposal_id, Proposal.state == ProposalState.PROPOSED
    )
    return unit.db.exec(query.with_for_update()).first()


def _of_case(unit: Unit, actor: Actor, role: Role, case_id: str) -> Refusal | None:
    """Return why somebody may not work on a pair of records: one of the two is of their regions."""
    pair = people.people_of_duplicate(unit, case_id)
    if pair is None:
        return serves_somewhere(actor, role) or DuplicateNotFound()
    areas = {area for person_id in pair for area in people.desks_of(unit, person_id)}
    return serves(actor, role, areas)


def _out_of_reach(
    unit: Unit, actor: Actor, role: Role, kind: ActKind, about_id: str, person_id: str
) -> Refusal | None:
    """Return why a proposal is not somebody's: a transfer is of the area that has it now."""
    if kind is not ActKind.TRANSFER:
        return _refusal(unit, actor, role, person_id)
    found = matters.matter(unit, about_id)
    return serves(actor, role, () if found is None else found.desks)


def _refusal(unit: Unit, actor: Actor, role: Role, person_id: str) -> Refusal | None:
    return serves(actor, role, people.desks_of(unit, person_id))
