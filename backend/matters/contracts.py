"""Applications as the rest of the system sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.states import StateTable

F = TypeVar("F")


class MatterKind(StrEnum):
    """What is applied for."""

    FILING = "FILING"
    """异地就医备案, a change of it, its renewal or back-filing."""
    FILING_CANCEL = "FILING_CANCEL"
    """Cancelling a filing before its promise allows it, with proof."""
    CHRONIC = "CHRONIC"
    """门诊慢特病: a disease found by experts, or its renewal."""
    CLAIM = "CLAIM"
    """手工报销: a bill that was paid in full."""
    CHOICE = "CHOICE"
    """定点选定: primary institutions."""
    CAPITATION = "CAPITATION"
    DOCTOR_TEAM = "DOCTOR_TEAM"
    """家庭医生签约."""
    ENROLMENT = "ENROLMENT"
    """参保登记 of a resident."""
    TRANSFER = "TRANSFER"
    """转移接续: insurance that somebody takes along to another area."""
    COMPLAINT = "COMPLAINT"
    """投诉与建议: approved is answered, refused is found without ground."""


class MatterState(StrEnum):
    """Where an application stands."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    """It waits for the desk; the promised day counts."""
    SUPPLEMENT = "SUPPLEMENT"
    """It waits for the applicant, who was told everything that is missing at once."""
    RECHECK = "RECHECK"
    """A first look is done, by experts or a clerk; it waits for the second."""
    PAID = "PAID"
    PAY_FAILED = "PAY_FAILED"
    """The bank has sent the money back; it waits for another account."""
    APPROVED = "APPROVED"
    EFFECTIVE = "EFFECTIVE"
    """What was applied for holds."""
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    """Nobody went on with a draft or a supplement in time."""


class MatterEvent(StrEnum):
    """What can happen to an application."""

    SUBMIT = "SUBMIT"
    APPROVE_AT_ONCE = "APPROVE_AT_ONCE"
    """By promise, or because nothing has to be shown."""
    ASK = "ASK"
    """The desk says what is missing or cannot be read."""
    SUPPLEMENT = "SUPPLEMENT"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    APPEAL = "APPEAL"
    """Another clerk decides anew."""
    WITHDRAW = "WITHDRAW"
    TAKE_EFFECT = "TAKE_EFFECT"
    LAPSE = "LAPSE"
    AGREE = "AGREE"
    """Experts find what is applied for."""
    RECKON = "RECKON"
    """A clerk has reckoned what a claim comes to, or what a transfer brings along."""
    RETURN = "RETURN"
    """The second person does not agree; it is reckoned anew."""
    PAY = "PAY"
    PAY_FAIL = "PAY_FAIL"
    NEW_ACCOUNT = "NEW_ACCOUNT"


_S, _E = MatterState, MatterEvent
_REVIEWED = {
    (_S.DRAFT, _E.SUBMIT): _S.SUBMITTED,
    (_S.SUBMITTED, _E.ASK): _S.SUPPLEMENT,
    (_S.SUPPLEMENT, _E.SUPPLEMENT): _S.SUBMITTED,
    (_S.SUBMITTED, _E.APPROVE): _S.APPROVED,
    (_S.SUBMITTED, _E.REJECT): _S.REJECTED,
    (_S.REJECTED, _E.APPEAL): _S.SUBMITTED,
    (_S.DRAFT, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.SUBMITTED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.SUPPLEMENT, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.APPROVED, _E.TAKE_EFFECT): _S.EFFECTIVE,
    (_S.DRAFT, _E.LAPSE): _S.LAPSED,
    (_S.SUPPLEMENT, _E.LAPSE): _S.LAPSED,
}
FILING_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="filing_matter",
    title="异地就医备案申请 an application for a filing",
    initial=(_S.DRAFT,),
    moves={**_REVIEWED, (_S.DRAFT, _E.APPROVE_AT_ONCE): _S.APPROVED},
)
CANCEL_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="filing_cancel_matter",
    title="提前取消备案申请 an application to cancel a filing early",
    initial=(_S.DRAFT,),
    moves=_REVIEWED,
)
CHRONIC_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="chronic_matter",
    title="门诊慢特病认定申请 an application for a chronic disease",
    initial=(_S.DRAFT,),
    moves={
        **{move: after for move, after in _REVIEWED.items() if move != (_S.SUBMITTED, _E.APPROVE)},
        (_S.SUBMITTED, _E.AGREE): _S.RECHECK,
        (_S.RECHECK, _E.APPROVE): _S.APPROVED,
        (_S.RECHECK, _E.REJECT): _S.REJECTED,
        (_S.RECHECK, _E.ASK): _S.SUPPLEMENT,
        (_S.RECHECK, _E.WITHDRAW): _S.WITHDRAWN,
    },
)
CLAIM_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="claim_matter",
    title="手工报销申请 a claim for a bill that was paid in full",
    initial=(_S.DRAFT,),
    moves={
        **{
            move: after
            for move, after in _REVIEWED.items()
            if move not in ((_S.SUBMITTED, _E.APPROVE), (_S.APPROVED, _E.TAKE_EFFECT))
        },
        (_S.SUBMITTED, _E.RECKON): _S.RECHECK,
        (_S.RECHECK, _E.RETURN): _S.SUBMITTED,
        (_S.RECHECK, _E.APPROVE): _S.APPROVED,
        (_S.APPROVED, _E.PAY): _S.PAID,
        (_S.APPROVED, _E.PAY_FAIL): _S.PAY_FAILED,
        (_S.PAY_FAILED, _E.NEW_ACCOUNT): _S.APPROVED,
    },
)
CHOICE_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="choice_matter",
    title="定点选定 a choice of primary institutions",
    initial=(_S.DRAFT,),
    moves={
        (_S.DRAFT, _E.APPROVE_AT_ONCE): _S.APPROVED,
        (_S.APPROVED, _E.TAKE_EFFECT): _S.EFFECTIVE,
        (_S.DRAFT, _E.WITHDRAW): _S.WITHDRAWN,
        (_S.DRAFT, _E.LAPSE): _S.LAPSED,
    },
)
TEAM_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="team_matter",
    title="家庭医生签约申请 an application to sign with a doctor team",
    initial=(_S.DRAFT,),
    moves=_REVIEWED,
)
ENROLMENT_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="enrolment_matter",
    title="参保登记申请 an application to be insured",
    initial=(_S.DRAFT,),
    moves=_REVIEWED,
)
COMPLAINT_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="complaint_matter",
    title="投诉与建议 a complaint or a suggestion",
    initial=(_S.DRAFT,),
    moves={**_REVIEWED, (_S.EFFECTIVE, _E.APPEAL): _S.SUBMITTED},
)
TRANSFER_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="transfer_matter",
    title="转移接续申请 an application to take insurance along",
    initial=(_S.DRAFT,),
    moves={
        **{move: after for move, after in _REVIEWED.items() if move != (_S.SUBMITTED, _E.APPROVE)},
        (_S.SUBMITTED, _E.RECKON): _S.RECHECK,
        (_S.RECHECK, _E.RETURN): _S.SUBMITTED,
        (_S.RECHECK, _E.APPROVE): _S.APPROVED,
    },
)
CAPITATION_MATTER_STATES: StateTable[MatterState, MatterEvent] = StateTable(
    name="capitation_matter",
    title="腹膜透析按人头付费签约申请 an application about a capitation agreement",
    initial=(_S.DRAFT,),
    moves=_REVIEWED,
)
STATES_OF = {
    MatterKind.CAPITATION: CAPITATION_MATTER_STATES,
    MatterKind.ENROLMENT: ENROLMENT_MATTER_STATES,
    MatterKind.TRANSFER: TRANSFER_MATTER_STATES,
    MatterKind.COMPLAINT: COMPLAINT_MATTER_STATES,
    MatterKind.CHOICE: CHOICE_MATTER_STATES,
    MatterKind.DOCTOR_TEAM: TEAM_MATTER_STATES,
    MatterKind.CLAIM: CLAIM_MATTER_STATES,
    MatterKind.CHRONIC: CHRONIC_MATTER_STATES,
    MatterKind.FILING: FILING_MATTER_STATES,
    MatterKind.FILING_CANCEL: CANCEL_MATTER_STATES,
}


class Party(StrEnum):
    """Whose act an event was."""

    APPLICANT = "APPLICANT"
    AGENCY = "AGENCY"
    SYSTEM = "SYSTEM"


class Requirement(StrEnum):
    """A paper that an application may need."""

    RESIDENCE_PROOF = "RESIDENCE_PROOF"
    """Household register, residence permit, lease or deed of the place."""
    WORK_PROOF = "WORK_PROOF"
    """Labour contract, or the employer's letter of posting."""
    REFERRAL_PAPER = "REFERRAL_PAPER"
    """Of a designated hospital of the insured area."""
    RETURN_PROOF = "RETURN_PROOF"
    """Of having come back before the time of a promise."""
    DIAGNOSIS = "DIAGNOSIS"
    """A hospital's diagnosis, stamped."""
    RECORDS = "RECORDS"
    """Medical records, or the summary of a discharge."""
    INVOICE = "INVOICE"
    FEE_LIST = "FEE_LIST"
    """The itemised list of fees."""
    INJURY_STATEMENT = "INJURY_STATEMENT"
    """How an injury came about, signed: whether somebody else has to pay for it."""
    ID_PHOTO = "ID_PHOTO"
    """Both sides of the identity card."""
    HOUSEHOLD_REGISTER = "HOUSEHOLD_REGISTER"
    """The own page of it, or the certificate of birth."""
    TRANSFER_CERTIFICATE = "TRANSFER_CERTIFICATE"
    """参保凭证 of the area that the insurance comes from."""
    SIGNED_AGREEMENT = "SIGNED_AGREEMENT"
    """The agreement with a pilot hospital, signed by both."""
    LAB_REPORTS = "LAB_REPORTS"
    """Laboratory or imaging reports of the last months."""
    EVIDENCE = "EVIDENCE"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PAPERS[self.value][0 if locale is Locale.ZH else 1]


_PAPERS = {
    "RESIDENCE_PROOF": (
        "居住证明（户口簿、居住证、房产证或租房合同）",
        "proof of residence (household register, residence permit, deed or lease)",
    ),
    "WORK_PROOF": (
        "工作证明（劳动合同或单位派出证明）",
        "proof of work (labour contract or the employer's letter of posting)",
    ),
    "REFERRAL_PAPER": ("定点医院的转诊证明", "referral paper of a designated hospital"),
    "RETURN_PROOF": ("已返回参保地的证明", "proof of having come back"),
    "DIAGNOSIS": ("盖章的诊断证明", "a stamped diagnosis of a hospital"),
    "RECORDS": ("病历或出院小结", "medical records or the summary of a discharge"),
    "INVOICE": ("医疗费用发票原件的照片或电子发票", "the invoices"),
    "FEE_LIST": ("费用明细清单", "the itemised list of fees"),
    "INJURY_STATEMENT": ("外伤情况说明或承诺书", "a signed statement of how the injury came about"),
    "ID_PHOTO": ("身份证正反面照片", "photographs of both sides of the identity card"),
    "HOUSEHOLD_REGISTER": (
        "户口簿本人页或出生医学证明",
        "the own page of the household register, or the certificate of birth",
    ),
    "TRANSFER_CERTIFICATE": ("转出地出具的参保凭证", "the certificate of the area it comes from"),
    "SIGNED_AGREEMENT": (
        "与试点医院签订的服务协议（双方签字盖章）",
        "the agreement with the pilot hospital, signed by both",
    ),
    "EVIDENCE": ("能说明情况的照片或材料", "what shows how it was"),
    "LAB_REPORTS": (
        "近6个月的检验或影像报告",
        "laboratory or imaging reports of the last six months",
    ),
}


class MaterialVerdict(StrEnum):
    """What the desk says of a paper."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"


@dataclass(frozen=True)
class MaterialView:
    """A paper that was uploaded. Its content is read at the desk and by who uploaded it."""

    id: str
    requirement: Requirement
    name: str
    content_type: str
    size: int
    added_at: datetime
    verdict: MaterialVerdict | None
    reason: str


@dataclass(frozen=True)
class MatterStep:
    """Something that happened to an application."""

    at: datetime
    party: Party
    event: MatterEvent
    state: MatterState
    words: str


@dataclass(frozen=True)
class OpinionView:
    """What an expert says of an application, in a round: whether it meets the condition, and why."""

    round: int
    expert: str
    meets: bool
    words: str
    at: datetime


@dataclass(frozen=True)
class MatterView:
    """An application. ``due_on`` is the promised day as it stands now, the clock's pauses counted.

    ``area_code``: whose desk works on it, with that of ``county_code`` there, which may be empty;
    ``holder``: who there, as the audit names them.
    ``enrolment_id`` is empty of whom is not insured yet.
    """

    id: str
    number: str
    kind: MatterKind
    state: MatterState
    person_id: str
    applicant_id: str
    relation: str
    area_code: str
    enrolment_id: str
    form: str
    started_at: datetime
    submitted_at: datetime | None
    due_on: date | None
    due_is_provisional: bool
    expires_at: datetime | None
    materials: tuple[MaterialView, ...]
    steps: tuple[MatterStep, ...]
    result_id: str | None
    decided_by: str | None
    holder: str | None
    held_at: datetime | None
    county_code: str = ""

    @property
    def desks(self) -> tuple[str, ...]:
        """Return the area, and the county where there is one: the staff of either work on it."""
        return (self.area_code, self.county_code) if self.county_code else (self.area_code,)


AT_THE_AGENCY = (MatterState.SUBMITTED, MatterState.SUPPLEMENT, MatterState.RECHECK)
"""States in which an application waits to be decided; the clock of the promise runs or rests."""


@dataclass(frozen=True)
class NewMatter:
    """A draft to open. ``county_code``: of whom is not insured yet; else it is that of the enrolment."""

    kind: MatterKind
    person_id: str
    applicant_id: str
    relation: str
    area_code: str
    enrolment_id: str
    form: str
    county_code: str = ""


@dataclass(frozen=True)
class ApplicationView:
    """An application, and what submitting it takes: nothing of that where it is not to be submitted.

    ``missing``: every paper that is still needed. ``workdays``: in how many working days it is decided.
    ``names``: what codes and ids in its form are called.
    """

    matter: MatterView
    missing: tuple[Requirement, ...] = ()
    workdays: int = 0
    at_once: bool = False
    promise: bool = False
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SaveApplication(Generic[F]):
    """Somebody saves a form as a draft, a new one or one that they go on with."""

    actor: Actor
    person_id: str
    matter_id: str | None
    enrolment_id: str | None
    form: F
    request_id: str


@dataclass(frozen=True)
class SubmitApplication:
    """Somebody submits a draft, or what was missing. ``promise``: they promise that it is true."""

    actor: Actor
    matter_id: str
    promise: bool
    request_id: str


@dataclass(frozen=True)
class ActOnMatter:
    """Somebody withdraws an application, or appeals with words."""

    actor: Actor
    matter_id: str
    words: str = ""


@dataclass(frozen=True)
class RemoveMaterial:
    """Somebody takes a paper out again."""

    actor: Actor
    material_id: str


@dataclass(frozen=True)
class MatterNotFound(Refusal):
    """There is no such application of the caller's, or it does not wait for this now."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这个办件，或其当前状态不能办理此操作。"
    en = "There is no such application of yours, or it does not wait for this now."
    next_zh = "请在“我的办件”中查看进度。"
    next_en = "Look it up among your applications."


class ApplyProblem(StrEnum):
    """Why nothing can be applied for like this, whatever it is."""

    NOT_INSURED = "NOT_INSURED"
    TOO_MANY_DRAFTS = "TOO_MANY_DRAFTS"
    PROMISE_NOT_MADE = "PROMISE_NOT_MADE"
    UNDER_WAY = "UNDER_WAY"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _APPLY[self.value][0 if locale is Locale.ZH else 1]


_APPLY = {
    "NOT_INSURED": ("当前没有正常的参保记录", "there is no insurance in force"),
    "TOO_MANY_DRAFTS": (
        "草稿太多，请先提交或撤回已有的草稿",
        "there are too many drafts; submit or take back one of them first",
    ),
    "PROMISE_NOT_MADE": ("没有勾选承诺", "the promise was not made"),
    "UNDER_WAY": ("已有一个同样的申请正在办理", "the same is applied for already"),
}


@dataclass(frozen=True)
class ApplicationNotPossible(Refusal):
    """Nothing can be applied for like this."""

    problem: ApplyProblem
    zh = "不能这样申请：{problem}。"
    en = "It cannot be applied for like this: {problem}."
    next_zh = "请按提示处理后重试；草稿不会丢失。"
    next_en = "See to it and try again; a draft is not lost."


@dataclass(frozen=True)
class OpinionGiven(Refusal):
    """An expert has spoken about this application already."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "您已对这个办件发表过意见。"
    en = "You have given your opinion on this application already."
    next_zh = "申诉后的再次认定由其他专家进行。"
    next_en = "After an appeal other experts are asked."


@dataclass(frozen=True)
class MaterialsMissing(Refusal):
    """Papers are missing, or were refused and not replaced: all of them are named at once."""

    zh = "还缺以下材料：{missing}。"
    en = "These papers are still missing: {missing}."
    next_zh = "请一次补齐后提交；草稿已保存。"
    next_en = "Upload all of them and submit then; the draft is kept."
    missing: tuple[Requirement, ...]
