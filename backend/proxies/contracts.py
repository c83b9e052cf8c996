"""Commands, views, states and refusals of bindings between relatives.

The *owner* is the person on whose behalf something is done, the *delegate* the relative who does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Action, Actor
from backend.kernel.errors import Locale, Refusal, Retry, Seconds
from backend.kernel.masking import MaskedName
from backend.kernel.money import Fen
from backend.kernel.states import StateTable

RELATIVES_MAX = 5
"""An account binds at most so many relatives."""
BOUND_A_MONTH_MAX = 2
"""A person is bound by at most so many others in a calendar month."""
OWN_CONSENT_AGE = 16
"""From this age on a person consents for themselves; a child's binding ends on this birthday."""


class Relation(StrEnum):
    """What the owner is to the delegate."""

    SPOUSE = "SPOUSE"
    PARENT = "PARENT"
    CHILD = "CHILD"
    SIBLING = "SIBLING"
    GRANDPARENT = "GRANDPARENT"
    GRANDCHILD = "GRANDCHILD"


class Scope(StrEnum):
    """What a delegate may do."""

    VIEW_INFO = "VIEW_INFO"
    SHOW_CODE = "SHOW_CODE"
    FILE = "FILE"
    CLAIM = "CLAIM"
    BOOK = "BOOK"
    PAY = "PAY"
    """Lets the owner's money go, up to a limit; consented to by itself, never with the others."""


SCOPE_OF: dict[Action, Scope] = {
    Action.VIEW_RIGHTS: Scope.VIEW_INFO,
    Action.SHOW_CODE: Scope.SHOW_CODE,
    Action.DECIDE_BILL: Scope.PAY,
    Action.FILE: Scope.FILE,
    Action.BOOK: Scope.BOOK,
}
"""Actions that are not here can never be done for somebody else."""


class BindingState(StrEnum):
    """States of a binding. Running out is a matter of the clock and no state of its own."""

    PENDING_CONSENT = "PENDING_CONSENT"
    PENDING_REVIEW = "PENDING_REVIEW"
    ACTIVE = "ACTIVE"
    REJECTED = "REJECTED"
    REVOKED_BY_OWNER = "REVOKED_BY_OWNER"
    REVOKED_BY_DELEGATE = "REVOKED_BY_DELEGATE"
    ENDED_BY_AGENCY = "ENDED_BY_AGENCY"


class BindingEvent(StrEnum):
    """What can happen to a binding."""

    CONSENT = "CONSENT"
    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    REJECT = "REJECT"
    RENEW = "RENEW"
    END_BY_OWNER = "END_BY_OWNER"
    END_BY_DELEGATE = "END_BY_DELEGATE"
    END_BY_AGENCY = "END_BY_AGENCY"


_S, _E = BindingState, BindingEvent
BINDING_STATES: StateTable[BindingState, BindingEvent] = StateTable(
    name="binding",
    title="亲情账户 a binding between relatives",
    initial=(_S.PENDING_CONSENT, _S.PENDING_REVIEW),
    moves={
        (_S.PENDING_CONSENT, _E.CONSENT): _S.ACTIVE,
        (_S.PENDING_CONSENT, _E.DECLINE): _S.REJECTED,
        (_S.PENDING_CONSENT, _E.END_BY_DELEGATE): _S.REVOKED_BY_DELEGATE,
        (_S.PENDING_REVIEW, _E.APPROVE): _S.ACTIVE,
        (_S.PENDING_REVIEW, _E.REJECT): _S.REJECTED,
        (_S.PENDING_REVIEW, _E.END_BY_DELEGATE): _S.REVOKED_BY_DELEGATE,
        (_S.PENDING_CONSENT, _E.END_BY_AGENCY): _S.ENDED_BY_AGENCY,
        (_S.PENDING_REVIEW, _E.END_BY_AGENCY): _S.ENDED_BY_AGENCY,
        (_S.ACTIVE, _E.RENEW): _S.ACTIVE,
        (_S.ACTIVE, _E.END_BY_OWNER): _S.REVOKED_BY_OWNER,
        (_S.ACTIVE, _E.END_BY_DELEGATE): _S.REVOKED_BY_DELEGATE,
        (_S.ACTIVE, _E.END_BY_AGENCY): _S.ENDED_BY_AGENCY,
    },
)


class Standing(StrEnum):
    """Whether an active binding can be used on a day, and why not."""

    IN_FORCE = "IN_FORCE"
    NOT_ACTIVE = "NOT_ACTIVE"
    RAN_OUT = "RAN_OUT"
    OWNER_CAME_OF_AGE = "OWNER_CAME_OF_AGE"
    OWNER_DIED = "OWNER_DIED"
    OWNER_NOT_INSURED = "OWNER_NOT_INSURED"


class ConsentKind(StrEnum):
    """What the owner consents to."""

    BIND = "BIND"
    PAY = "PAY"
    RENEW = "RENEW"


class ConsentWay(StrEnum):
    """How the owner's consent was given; all are of equal rank."""

    OWN_SESSION = "OWN_SESSION"
    CODE_READ_OUT = "CODE_READ_OUT"
    PAPER = "PAPER"
    """A signed paper at the desk."""
    FACE = "FACE"
    """The owner's own face, before the relative's device."""
    GUARDIAN = "GUARDIAN"
    """Under sixteen: the guardian's promise and household proof, checked at the desk."""


@dataclass(frozen=True)
class BeginFaceConsent:
    """A delegate has the owner with them, who agrees by their own face. Never to money."""

    actor: Actor
    binding_id: str
    kind: ConsentKind


@dataclass(frozen=True)
class ConsentByFace:
    """The owner's face check that was begun for this passed."""

    actor: Actor
    binding_id: str
    kind: ConsentKind
    check_id: str


class BindingProblem(StrEnum):
    """What is wrong with a request or a consent."""

    ONESELF = "ONESELF"
    TOO_YOUNG = "TOO_YOUNG"
    NO_SCOPE = "NO_SCOPE"
    MONEY_BY_ITSELF = "MONEY_BY_ITSELF"
    NO_RELATION_OF_A_CHILD = "NO_RELATION_OF_A_CHILD"
    NO_PROMISE = "NO_PROMISE"
    LIMITS_ARE_OF_MONEY = "LIMITS_ARE_OF_MONEY"
    NO_LIMIT = "NO_LIMIT"
    DAY_BELOW_PAYMENT = "DAY_BELOW_PAYMENT"

    def text(self, locale: Locale) -> str:
        """Return it in words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "ONESELF": ("这是您本人", "that is yourself"),
    "TOO_YOUNG": ("代办人年龄不足", "you are too young to act for others"),
    "NO_SCOPE": ("请选择授权范围，且不要重复", "choose what to act in, each once"),
    "MONEY_BY_ITSELF": (
        "代付须在绑定后由本人另行授权",
        "paying is consented to by itself, after the binding",
    ),
    "NO_RELATION_OF_A_CHILD": ("关系与孩子的年龄不符", "the relation does not fit a child"),
    "NO_PROMISE": (
        "绑定未满16周岁的孩子须提交个人承诺书",
        "a promise is needed to act for a child under sixteen",
    ),
    "LIMITS_ARE_OF_MONEY": ("额度只在授权代付时填写", "limits belong to paying alone"),
    "NO_LIMIT": ("请填写合理的单笔代付额度", "a sensible limit for one payment is needed"),
    "DAY_BELOW_PAYMENT": (
        "单日额度不能低于单笔额度或过高",
        "a day's limit is not below one payment's and not too high",
    ),
}


@dataclass(frozen=True)
class RequestBinding:
    """A delegate asks to act for a relative.

    ``promise`` is the delegate's promise about a child under sixteen (个人承诺书).
    """

    actor: Actor
    owner_name: str
    owner_id_number: str
    relation: Relation
    scopes: tuple[Scope, ...]
    promise: bool
    request_id: str


@dataclass(frozen=True)
class AskConsent:
    """A delegate has a code sent to the owner's phone, to be read out to them.

    ``pay_limit_fen`` for one payment and ``pay_day_limit_fen`` for a day, of ``PAY`` alone.
    """

    actor: Actor
    binding_id: str
    kind: ConsentKind
    pay_limit_fen: Fen | None = None
    pay_day_limit_fen: Fen | None = None


@dataclass(frozen=True)
class ConsentByCode:
    """A delegate enters the code that the owner has read out."""

    actor: Actor
    binding_id: str
    code: str


@dataclass(frozen=True)
class Consent:
    """An owner consents on their own device."""

    actor: Actor
    binding_id: str
    kind: ConsentKind
    pay_limit_fen: Fen | None = None
    pay_day_limit_fen: Fen | None = None


@dataclass(frozen=True)
class DeclineBinding:
    """An owner says no."""

    actor: Actor
    binding_id: str


@dataclass(frozen=True)
class EndBinding:
    """Either side ends it, at once."""

    actor: Actor
    binding_id: str


@dataclass(frozen=True)
class BindingView:
    """A binding as it stands."""

    id: str
    owner_id: str
    delegate_id: str
    owner_name: MaskedName
    delegate_name: MaskedName
    relation: Relation
    scopes: tuple[Scope, ...]
    state: BindingState
    standing: Standing
    requested_at: datetime
    active_since: datetime | None
    expires_on: date
    consented_by: ConsentWay | None
    pay_limit_fen: Fen | None
    pay_day_limit_fen: Fen | None


@dataclass(frozen=True)
class ConsentAsked:
    """A code is on its way to the owner's phone."""

    binding_id: str
    kind: ConsentKind
    expires_at: datetime


@dataclass(frozen=True)
class ProxyActView:
    """Something that a delegate did for an owner."""

    id: int
    binding_id: str
    at: datetime
    action: Action
    delegate_name: MaskedName
    relation: Relation
    amount_fen: Fen | None


@dataclass(frozen=True)
class RelativeUnknown(Refusal):
    """Nobody who can be bound has this name and number. It does not say which of the two is wrong."""

    zh = "姓名或证件号码与登记信息不一致，或该亲属尚未参保登记。"
    en = "Name and ID number do not match anybody registered."
    next_zh = "请核对亲属的姓名和身份证号码；仍不一致可携双方证件到经办窗口办理。"
    next_en = "Check both; or come to a counter with both ID cards."


@dataclass(frozen=True)
class TooManyBindingRequests(Refusal):
    """Names that match nobody were tried too often, or one relative was asked too often."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "办理亲情账户的请求过于频繁，请在{retry_after_seconds}后再试。"
    en = "There were too many requests about relatives; try again in {retry_after_seconds}."
    next_zh = "请对照证件填写，或携双方证件到经办窗口办理。"
    next_en = "Copy them from the document, or come to a counter with both ID cards."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class BindingNotPossible(Refusal):
    """The request contradicts itself: oneself, no scope, money at once, a child without a promise."""

    zh = "不能这样办理：{problem}。"
    en = "This is not possible: {problem}."
    next_zh = "请按提示修改后重新提交。"
    next_en = "Change it and ask again."
    problem: BindingProblem


@dataclass(frozen=True)
class AlreadyBound(Refusal):
    """There is a binding with this relative already, or a request for one."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "您与这位亲属已有绑定或正在办理的申请。"
    en = "There is a binding with this relative already, or a request for one."
    next_zh = "请在“亲情账户”中查看；需要更改请先解除原绑定。"
    next_en = "Look under family accounts; end it first to change it."
    binding_id: str


@dataclass(frozen=True)
class TooManyRelatives(Refusal):
    """The account binds as many relatives as it may."""

    zh = "一个账户最多绑定{maximum}位亲属。"
    en = "An account binds at most {maximum} relatives."
    next_zh = "请先解除一位亲属的绑定。"
    next_en = "End one of them first."
    maximum: int


@dataclass(frozen=True)
class BoundTooOften(Refusal):
    """The relative was bound by others often enough this month."""

    zh = "这位亲属本月已被{maximum}人绑定，下月才能再次绑定。"
    en = "This relative was bound by {maximum} people this month already."
    next_zh = "请下月再试，或到经办窗口办理。"
    next_en = "Try again next month, or come to a counter."
    maximum: int


@dataclass(frozen=True)
class BindingNotFound(Refusal):
    """The caller has no such binding, or it is past the state in which this can happen."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这项绑定，或它目前不能办理这一步。"
    en = "There is no such binding, or it does not allow this now."
    next_zh = "请刷新“亲情账户”查看当前状态。"
    next_en = "Look at family accounts as they stand now."


@dataclass(frozen=True)
class NoPhoneForConsent(Refusal):
    """The owner has no phone on record, so no code can be read out."""

    zh = "这位亲属没有登记手机号，无法用电话验证码授权。"
    en = "No phone is registered for this relative; no code can be read out."
    next_zh = "请由本人在自己的设备上授权，或携本人签字的授权书到经办窗口办理。"
    next_en = "Let them consent on their own device, or bring their signed paper to a counter."


@dataclass(frozen=True)
class ConsentCodeWrong(Refusal):
    """The code does not match, has expired or was used."""

    zh = "授权码不正确或已失效，还可以尝试{attempts_left}次。"
    en = "The consent code is wrong or no longer valid; {attempts_left} attempts are left."
    next_zh = "请亲属再读一遍短信中的授权码，或重新获取。"
    next_en = "Let them read it out again, or ask for another one."
    attempts_left: int


@dataclass(frozen=True)
class ProxyLimitReached(Refusal):
    """The delegate would spend more of the owner's money than the owner allows."""

    zh = "本次将从亲属账户支付{asked_fen}，超过其授权您代付的额度，目前还可代付{left_fen}。"
    en = "This would take {asked_fen} from your relative's account; they allow {left_fen} now."
    next_zh = "可改为不使用其个人账户结算，或由其本人亮码；提高额度需其本人重新授权。"
    next_en = "Settle without their account, or let them show the code; a limit is theirs to raise."
    asked_fen: Fen
    left_fen: Fen
