"""The desk as the edge sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.claims.contracts import ClaimLine
from backend.filings.contracts import FilingApplication, FilingView
from backend.identity.registration_contracts import RegistrationView
from backend.identity.safety_contracts import DeviceView
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.matters.contracts import MaterialVerdict, MatterKind, MatterView, OpinionView
from backend.payments.contracts import MisuseView
from backend.people.contracts import PersonView
from backend.people.document_contracts import DocumentInput, DocumentView, DuplicateView
from backend.proxies.contracts import BindingView


class ActKind(StrEnum):
    """What takes two persons at the desk, because money or identity moves."""

    REGISTRATION = "REGISTRATION"
    """Give an insured person without a phone the phone that they registered with."""
    BINDING_PAYMENT = "BINDING_PAYMENT"
    """Let a relative pay from somebody's account, as a signed paper says."""
    ID_NUMBER = "ID_NUMBER"
    """Give who had none an ID number."""
    PHONE = "PHONE"
    """Move an account to another phone, of whom the old one is lost."""
    CLAIM = "CLAIM"
    """Book a manual claim as it was reckoned."""
    TRANSFER = "TRANSFER"
    """Take insurance over that somebody brings along from another area."""


class ProposalState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "PROPOSED"
    CONFIRMED = "CONFIRMED"
    WITHDRAWN = "WITHDRAWN"


class ProposalEvent(StrEnum):
    """What moves it."""

    CONFIRM = "CONFIRM"
    WITHDRAW = "WITHDRAW"


PROPOSAL_STATES: StateTable[ProposalState, ProposalEvent] = StateTable(
    name="proposal",
    title="双人复核 what takes two persons at the desk",
    initial=(ProposalState.PROPOSED,),
    moves={
        (ProposalState.PROPOSED, ProposalEvent.CONFIRM): ProposalState.CONFIRMED,
        (ProposalState.PROPOSED, ProposalEvent.WITHDRAW): ProposalState.WITHDRAWN,
    },
)


@dataclass(frozen=True)
class Payload:
    """What a proposal is about. ``subject_id``: the registration, binding, person, claim or transfer.

    Of a claim: its lines, and what it came to when it was reckoned. Of a transfer: months and balance.
    """

    subject_id: str
    id_number: str = ""
    phone: str = ""
    pay_limit_fen: Fen | None = None
    pay_day_limit_fen: Fen | None = None
    lines: tuple[ClaimLine, ...] = ()
    continues_id: str | None = None
    total_fen: Fen | None = None
    payable_fen: Fen | None = None
    months: int | None = None
    balance_fen: Fen | None = None


@dataclass(frozen=True)
class ProposalView:
    """A proposal as staff see it; ``gist`` says it in a line, masked."""

    id: str
    kind: ActKind
    state: ProposalState
    person: PersonView
    payload: Payload
    words: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True)
class Propose:
    """A clerk proposes what takes two persons, having compared the papers named."""

    actor: Actor
    kind: ActKind
    payload: Payload
    words: str


@dataclass(frozen=True)
class DecideProposal:
    """Another member of staff confirms a proposal; or it is withdrawn."""

    actor: Actor
    proposal_id: str


class BindingDecision(StrEnum):
    """What one clerk may decide about a binding."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"
    RENEW = "RENEW"
    END = "END"


@dataclass(frozen=True)
class DecideBinding:
    """A clerk decides about a binding, the papers before them."""

    actor: Actor
    binding_id: str
    decision: BindingDecision


@dataclass(frozen=True)
class RejectRegistration:
    """A clerk refuses a registration."""

    actor: Actor
    registration_id: str


@dataclass(frozen=True)
class ProposeMerge:
    """A clerk says that two records are one person's."""

    actor: Actor
    case_id: str
    kept_id: str
    words: str


@dataclass(frozen=True)
class DecideDuplicate:
    """A member of staff confirms or withdraws a merge, or says that two records are two people's."""

    actor: Actor
    case_id: str
    words: str = ""


@dataclass(frozen=True)
class RecordDocument:
    """A clerk records a document beside the ID number."""

    actor: Actor
    person_id: str
    document: DocumentInput


@dataclass(frozen=True)
class VouchDevice:
    """A clerk who sees person and document vouches for who holds a device."""

    actor: Actor
    person_id: str
    session_id: str


@dataclass(frozen=True)
class FindPerson:
    """A clerk looks somebody up by the document in hand: name and number, both."""

    actor: Actor
    name: str
    number: str


@dataclass(frozen=True)
class Found:
    """Who stands at the counter, with documents and devices. Looking is written down."""

    person: PersonView
    documents: tuple[DocumentView, ...]
    devices: tuple[DeviceView, ...]


class MatterDecision(StrEnum):
    """What a clerk decides about an application."""

    APPROVE = "APPROVE"
    ASK = "ASK"
    """Name everything that is missing or cannot be read, once."""
    REJECT = "REJECT"


@dataclass(frozen=True)
class DecideMatter:
    """A clerk decides about an application, with words that the applicant reads."""

    actor: Actor
    matter_id: str
    decision: MatterDecision
    words: str


class Holding(StrEnum):
    """Whose applications to list."""

    ANY = "ANY"
    MINE = "MINE"
    FREE = "FREE"
    """Nobody's."""


@dataclass(frozen=True)
class AskQueue:
    """Somebody asks what waits in their regions. ``after``: an application that was listed last."""

    kind: MatterKind | None
    holding: Holding
    after: str | None
    limit: int


@dataclass(frozen=True)
class TakeMatter:
    """A clerk takes an application to work on it, or lets it go."""

    actor: Actor
    matter_id: str
    let_go: bool = False


@dataclass(frozen=True)
class HandOver:
    """Who holds applications, or a supervisor, gives them to another clerk and says why."""

    actor: Actor
    matter_ids: tuple[str, ...]
    to_number: str
    words: str


@dataclass(frozen=True)
class AddReplyTemplate:
    """A supervisor adds words to begin a decision with. ``kind``: ``None`` suits every kind."""

    actor: Actor
    region: str
    kind: MatterKind | None
    decision: MatterDecision
    words: str


@dataclass(frozen=True)
class RemoveReplyTemplate:
    """A supervisor takes words away."""

    actor: Actor
    template_id: str


@dataclass(frozen=True)
class ReplyTemplateView:
    """Words to begin a decision with."""

    id: str
    region: str
    region_name: str
    kind: MatterKind | None
    decision: MatterDecision
    words: str
    added_by: str


@dataclass(frozen=True)
class GiveOpinion:
    """An expert says whether an application meets its condition, and why.

    The words reach the applicant where experts refuse it.
    """

    actor: Actor
    matter_id: str
    meets: bool
    words: str


@dataclass(frozen=True)
class JudgeMaterial:
    """A clerk says of a paper whether it will do; why not, the applicant reads."""

    actor: Actor
    material_id: str
    verdict: MaterialVerdict
    reason: str


@dataclass(frozen=True)
class RecordPayout:
    """Somebody who checks records that the bank has paid a claim out, or why it has not."""

    actor: Actor
    matter_id: str
    paid: bool
    words: str


@dataclass(frozen=True)
class ReissueCard:
    """A clerk hands out the new card of somebody whose old one was reported lost for good."""

    actor: Actor
    person_id: str


@dataclass(frozen=True)
class RetryUpload:
    """A clerk has a failed upload tried at once."""

    actor: Actor
    filing_id: str


@dataclass(frozen=True)
class MatterAtDesk:
    """An application as staff see it: whose, masked; of a filing also what it files.

    ``names``: what codes and ids in its form are called, where one application is looked at.
    ``opinions`` of experts are shown once they have found, and to an expert never before.
    ``days_waiting`` since it was submitted, and ``overdue`` past the promised day, while it is undecided.
    """

    matter: MatterView
    person: PersonView
    applicant: PersonView
    filing: FilingApplication | None
    opinions: tuple[OpinionView, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    days_waiting: int | None = None
    overdue: bool = False


@dataclass(frozen=True)
class Work:
    """What waits for a member of staff, of the regions where they are a clerk or a checker."""

    bindings: tuple[BindingView, ...]
    registrations: tuple[RegistrationView, ...]
    duplicates: tuple[DuplicateView, ...]
    proposals: tuple[ProposalView, ...]
    misuse: tuple[MisuseView, ...]
    matters: tuple[MatterAtDesk, ...] = ()
    for_experts: tuple[MatterAtDesk, ...] = ()
    unpaid: tuple[MatterAtDesk, ...] = ()
    failed_uploads: tuple[FilingView, ...] = ()


@dataclass(frozen=True)
class ProposalNotFound(Refusal):
    """There is no such proposal, or it does not wait any more."""

    zh = "没有找到这条待复核事项，或已办结。"
    en = "There is no such proposal, or it is decided already."
    next_zh = "请刷新待办列表。"
    next_en = "Look at the list again."


@dataclass(frozen=True)
class SecondPersonNeeded(Refusal):
    """Who has proposed something cannot confirm it."""

    zh = "提出人不能复核自己提出的事项。"
    en = "Who has proposed it cannot confirm it."
    next_zh = "请另一位有复核权限的人员办理。"
    next_en = "Another member of staff with the duty to check confirms it."


@dataclass(frozen=True)
class HeldByAnother(Refusal):
    """Somebody else works on the application."""

    zh = "{number}自{since}起在办理这件申请。"
    en = "{number} has worked on this application since {since}."
    next_zh = "请办理其他申请；需要接手的，请对方或主管移交。"
    next_en = "Take another one; or have it handed over, by them or by a supervisor."
    number: str
    since: datetime


@dataclass(frozen=True)
class CannotHandTo(Refusal):
    """Who shall have an application cannot work on it."""

    zh = "不能移交给{number}：没有该地区的经办权限，或申诉针对的正是其决定。"
    en = "{number} cannot have it: no clerk of that area, or the appeal is against their decision."
    next_zh = "请选择该地区的其他经办人员。"
    next_en = "Choose another clerk of that area."
    number: str


@dataclass(frozen=True)
class TemplateNotFound(Refusal):
    """There are no such words any more."""

    zh = "没有找到这条回复模板，或已删除。"
    en = "There is no such template any more."
    next_zh = "请刷新模板列表。"
    next_en = "Look at the list again."


@dataclass(frozen=True)
class ExpertsFirst(Refusal):
    """Experts have not found yet; the agency decides after them."""

    zh = "专家尚未作出一致意见，经办机构还不能审核决定。"
    en = "Experts have not found yet; the agency decides after them."
    next_zh = "可以要求补充材料；专家认定后再复核。"
    next_en = "Papers can be asked for; decide once experts have found."


@dataclass(frozen=True)
class WordsMissing(Refusal):
    """It does not say which papers were compared."""

    zh = "没有写明核对了哪些材料。"
    en = "It does not say which papers were compared."
    next_zh = "请写明核对的材料和结果。"
    next_en = "Name the papers and what they showed."


@dataclass(frozen=True)
class ReckonedOtherwise(Refusal):
    """A claim comes to something else now than when it was reckoned; nothing was booked."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "现在核算的报销金额是{payable_fen}，与提出时不同，没有入账。"
    en = "The claim comes to {payable_fen} now, not to what was reckoned; nothing was booked."
    next_zh = "请退回后由经办人员重新核算。"
    next_en = "Return it, and let it be reckoned anew."
    payable_fen: Fen


@dataclass(frozen=True)
class ProposedAlready(Refusal):
    """The same thing waits for a second person already."""

    zh = "同一事项已在等待复核。"
    en = "The same thing waits for a second person already."
    next_zh = "请在待复核列表中处理。"
    next_en = "Find it in the list of proposals."
    proposed_at: datetime


@dataclass(frozen=True)
class NobodyFound(Refusal):
    """Nobody of this name has this document."""

    zh = "没有找到姓名与证件号码一致的人员。"
    en = "Nobody of this name has this document."
    next_zh = "请对照证件逐字核对；新生儿可用出生医学证明编号查询。"
    next_en = "Compare it with the document; a newborn is found by the birth certificate."


@dataclass(frozen=True)
class CashNotFound(Refusal):
    """There is no such payment or difference that waits for a person."""

    zh = "没有找到待处理的退款或差异，或它已处理。"
    en = "There is no such payment or difference that waits for a person."
    next_zh = "请刷新列表；关闭差异须写明处理结果。"
    next_en = "Look at the list again; closing a difference takes words."
