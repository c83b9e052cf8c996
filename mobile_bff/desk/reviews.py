"""What takes two persons: records of one person, and whatever moves money or identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry

from backend.access.contracts import DutyMissing, SignInRequired
from backend.desk import service
from backend.desk.contracts import (
    ActKind,
    DecideDuplicate,
    DecideProposal,
    HeldByAnother,
    NobodyFound,
    Payload,
    ProposalNotFound,
    Propose,
    ProposedAlready,
    ProposeMerge,
    ReckonedOtherwise,
    SecondPersonNeeded,
    WordsMissing,
)
from backend.enrolment.contracts import EnrolmentNotPossible
from backend.identity.contracts import PhoneInvalid
from backend.identity.registration_contracts import (
    AlreadyRegistered,
    PhoneTaken,
    RegistrationNotFound,
)
from backend.kernel.money import Fen
from backend.merging.contracts import DuplicateNotFound, MergeNotPossible
from backend.people.contracts import IdNumberInvalid, PersonKnown
from backend.proxies.contracts import BindingNotFound, BindingNotPossible
from mobile_bff.context import Info
from mobile_bff.desk.claims import CLAIMED
from mobile_bff.desk.shown import (
    Duplicate,
    Proposal,
    RecordsMerged,
    duplicate_type,
    merged_type,
    proposal_type,
)
from mobile_bff.errors import answer, result_union

_STAFF = (SignInRequired, DutyMissing)
_ACTS = (
    *(RegistrationNotFound, AlreadyRegistered, PhoneTaken),
    *(BindingNotFound, BindingNotPossible),
    *(NobodyFound, IdNumberInvalid, PersonKnown, PhoneInvalid),
    *CLAIMED,
    EnrolmentNotPossible,
)
"""What the acts themselves may refuse, when they are proposed as when they are confirmed."""


@strawberry.input(description="Proposes to merge two records.")
class ProposeMergeInput:
    """Which pair, which record goes on, and what papers show it."""

    case_id: strawberry.ID = strawberry.field(description="The pair.")
    kept_id: strawberry.ID = strawberry.field(description="The record that goes on.")
    words: str = strawberry.field(description="Which papers were compared.")


@strawberry.input(description="Decides about a pair of records.")
class DuplicateInput:
    """Which pair."""

    case_id: strawberry.ID = strawberry.field(description="The pair.")


@strawberry.input(description="Says that two records are two people's.")
class TellApartInput:
    """Which pair, and why."""

    case_id: strawberry.ID = strawberry.field(description="The pair.")
    words: str = strawberry.field(description="Which papers were compared.")


@strawberry.input(description="Proposes what takes two persons.")
class ProposeInput:
    """What, about what, and the papers that were compared."""

    kind: ActKind = strawberry.field(description="What it does.")
    subject_id: strawberry.ID = strawberry.field(
        description="The registration, the binding or the person, as the kind says."
    )
    words: str = strawberry.field(description="Which papers were compared.")
    id_number: str = strawberry.field(default="", description="Of ID_NUMBER: the number.")
    phone: str = strawberry.field(default="", description="Of PHONE: the new phone.")
    pay_limit_fen: Fen | None = strawberry.field(
        default=None, description="Of BINDING_PAYMENT: the most for one payment."
    )
    pay_day_limit_fen: Fen | None = strawberry.field(
        default=None, description="Of BINDING_PAYMENT: the most for a day."
    )


@strawberry.input(description="Decides about a proposal.")
class ProposalInput:
    """Which."""

    proposal_id: strawberry.ID = strawberry.field(description="The proposal.")


async def _pair(info: Info, use_case: Any, command: Callable[[Any], Any]) -> Any:
    outcome = await info.context.act(use_case, command)
    return answer(outcome, info.context.locale, lambda v: duplicate_type(v, info.context.locale))


async def _proposal(info: Info, use_case: Any, command: Callable[[Any], Any]) -> Any:
    outcome = await info.context.act(use_case, command)
    return answer(outcome, info.context.locale, lambda v: proposal_type(v, info.context.locale))


@strawberry.type
class ReviewMutations:
    """Proposing and confirming."""

    @strawberry.mutation(
        description="Say that two records are one person's; another member of staff confirms.",
        graphql_type=result_union(
            "ProposeMergeResult", Duplicate, (*_STAFF, DuplicateNotFound, MergeNotPossible)
        ),
    )
    async def propose_merge(self, info: Info, input: ProposeMergeInput) -> Any:
        """Propose a merge."""
        return await _pair(
            info,
            service.propose_merge,
            lambda actor: ProposeMerge(actor, input.case_id, input.kept_id, input.words),
        )

    @strawberry.mutation(
        description="Take a proposed merge back, or do not agree with it.",
        graphql_type=result_union("WithdrawMergeResult", Duplicate, (*_STAFF, DuplicateNotFound)),
    )
    async def withdraw_merge(self, info: Info, input: DuplicateInput) -> Any:
        """Withdraw a merge."""
        return await _pair(
            info, service.withdraw_merge, lambda actor: DecideDuplicate(actor, input.case_id)
        )

    @strawberry.mutation(
        description="Merge two records as proposed. No command undoes it.",
        graphql_type=result_union(
            "ConfirmMergeResult", RecordsMerged, (*_STAFF, DuplicateNotFound, MergeNotPossible)
        ),
    )
    async def confirm_merge(self, info: Info, input: DuplicateInput) -> Any:
        """Confirm a merge."""
        outcome = await info.context.act(
            service.confirm_merge, lambda actor: DecideDuplicate(actor, input.case_id)
        )
        return answer(outcome, info.context.locale, merged_type)

    @strawberry.mutation(
        description="Say that two records are two people's.",
        graphql_type=result_union(
            "TellApartResult", Duplicate, (*_STAFF, DuplicateNotFound, MergeNotPossible)
        ),
    )
    async def tell_apart(self, info: Info, input: TellApartInput) -> Any:
        """Tell two people apart."""
        return await _pair(
            info,
            service.tell_apart,
            lambda actor: DecideDuplicate(actor, input.case_id, input.words),
        )

    @strawberry.mutation(
        description="Propose what takes two persons; what would be refused then is refused now.",
        graphql_type=result_union(
            "ProposeResult",
            Proposal,
            (*_STAFF, WordsMissing, ProposedAlready, HeldByAnother, *_ACTS),
        ),
    )
    async def propose(self, info: Info, input: ProposeInput) -> Any:
        """Propose an act."""
        payload = Payload(
            input.subject_id,
            input.id_number,
            input.phone,
            input.pay_limit_fen,
            input.pay_day_limit_fen,
        )
        return await _proposal(
            info,
            service.propose,
            lambda actor: Propose(actor, input.kind, payload, input.words),
        )

    @strawberry.mutation(
        description="Do what another member of staff has proposed.",
        graphql_type=result_union(
            "ConfirmProposalResult",
            Proposal,
            (*_STAFF, ProposalNotFound, SecondPersonNeeded, ReckonedOtherwise, *_ACTS),
        ),
    )
    async def confirm_proposal(self, info: Info, input: ProposalInput) -> Any:
        """Confirm a proposal."""
        return await _proposal(
            info, service.confirm, lambda actor: DecideProposal(actor, input.proposal_id)
        )

    @strawberry.mutation(
        description="Take a proposal back, or do not agree with it; nothing is done.",
        graphql_type=result_union("WithdrawProposalResult", Proposal, (*_STAFF, ProposalNotFound)),
    )
    async def withdraw_proposal(self, info: Info, input: ProposalInput) -> Any:
        """Withdraw a proposal."""
        return await _proposal(
            info, service.withdraw, lambda actor: DecideProposal(actor, input.proposal_id)
        )
