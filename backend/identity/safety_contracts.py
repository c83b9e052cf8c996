"""Commands, views and refusals of devices, step-up, the payment password and the freeze."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.assurance import Proof
from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry, Seconds


class PasswordState(StrEnum):
    """Where a payment password stands; told by its failures and the clock."""

    UNSET = "UNSET"
    SET = "SET"
    LOCKED = "LOCKED"
    """Wrong too often; opens by itself after some time."""
    BLOCKED = "BLOCKED"
    """Wrong too often for too long; only a new one opens it."""


@dataclass(frozen=True)
class EndSession:
    """A person ends the session of one of their devices."""

    actor: Actor
    session_id: str


@dataclass(frozen=True)
class SignOutEverywhere:
    """A person ends all sessions, the one that asks included."""

    actor: Actor


@dataclass(frozen=True)
class SessionsEnded:
    """So many sessions ended."""

    count: int


@dataclass(frozen=True)
class DeviceView:
    """A device that is signed in."""

    session_id: str
    device_name: str
    opened_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class RequestStepUpCode:
    """A signed-in person asks for a code on their own phone."""

    actor: Actor


@dataclass(frozen=True)
class StepUp:
    """A signed-in person shows a payment password or the code from their phone."""

    actor: Actor
    proof: Proof
    secret: str


@dataclass(frozen=True)
class SteppedUp:
    """The session counts as proven until then."""

    proof: Proof
    until: datetime


@dataclass(frozen=True)
class ChoosePassword:
    """A person sets a payment password, with the one before where they know it."""

    actor: Actor
    password: str
    current: str | None


@dataclass(frozen=True)
class FreezeAccount:
    """One tap: nothing of this person can be paid or shown at a till from now on."""

    actor: Actor
    reason: str


@dataclass(frozen=True)
class UnfreezeAccount:
    """The person lifts their own freeze."""

    actor: Actor


@dataclass(frozen=True)
class SafetyView:
    """How a person's account is protected."""

    person_id: str
    password: PasswordState
    password_locked_until: datetime | None
    frozen_at: datetime | None
    freeze_reason: str
    ways: tuple[Proof, ...]
    """What the person has set up to prove themselves with."""


@dataclass(frozen=True)
class SessionUnknown(Refusal):
    """There is no open session with this id among the caller's own."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这台已登录的设备。"
    en = "There is no such signed-in device."
    next_zh = "请刷新设备列表。"
    next_en = "Look at the list of devices again."


@dataclass(frozen=True)
class PasswordTooWeak(Refusal):
    """The password is not six digits, or one that others would guess."""

    zh = "支付密码须为6位数字，且不能是连号、重复数字或与您的证件、手机号、生日相同。"
    en = "A payment password takes six digits that are no series, no repetition, and not of your papers."
    next_zh = "请换一个别人猜不到的6位数字。"
    next_en = "Choose six digits that nobody would guess."


@dataclass(frozen=True)
class PasswordWrong(Refusal):
    """The payment password does not match."""

    zh = "支付密码不正确，还可以尝试{attempts_left}次。"
    en = "The payment password is wrong; {attempts_left} attempts are left."
    next_zh = "请重新输入；忘记密码可用刷脸、通行密钥或到经办窗口重置。"
    next_en = "Enter it again; reset it by face, passkey or at a counter if you forgot it."
    attempts_left: int


@dataclass(frozen=True)
class PasswordLocked(Refusal):
    """The payment password was wrong too often and is locked for a while."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "支付密码错误次数过多，请在{retry_after_seconds}后再试。"
    en = "The payment password was wrong too often; try again in {retry_after_seconds}."
    next_zh = "急用时可用刷脸、通行密钥确认，或到经办窗口重置密码。"
    next_en = "If it is urgent use your face or a passkey, or have it reset at a counter."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class PasswordBlocked(Refusal):
    """The payment password was wrong for too long; only a new one helps."""

    zh = "支付密码已停用，需要重置。"
    en = "The payment password is blocked and has to be reset."
    next_zh = "请用刷脸或通行密钥重置，或携身份证到经办窗口办理。"
    next_en = "Reset it by face or passkey, or at a counter with your ID card."


@dataclass(frozen=True)
class PasswordUnset(Refusal):
    """The person has no payment password yet."""

    zh = "您还没有设置支付密码。"
    en = "You have no payment password yet."
    next_zh = "请先在“支付安全”中设置支付密码。"
    next_en = "Set one first under payment safety."


@dataclass(frozen=True)
class ProofNotHere(Refusal):
    """A proof of this kind is shown in another way than by a text."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这种验证方式不能在这里提交。"
    en = "This kind of proof is not shown here."
    next_zh = "刷脸和通行密钥请走各自的验证流程。"
    next_en = "A face and a passkey have steps of their own."


@dataclass(frozen=True)
class AccountFrozen(Refusal):
    """The person has frozen the account: no code is shown and nothing is paid."""

    zh = "账户已于{frozen_at}冻结，暂不能亮码和支付。"
    en = "The account was frozen at {frozen_at}; no code is shown and nothing is paid."
    next_zh = "本人可在“支付安全”中解除冻结；就医可先凭身份证办理。"
    next_en = "The owner can lift it under payment safety; an ID card still serves for care."
    frozen_at: datetime
