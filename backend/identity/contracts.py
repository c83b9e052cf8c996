"""Commands, views and refusals of sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry, Seconds
from backend.kernel.masking import MaskedNumber
from backend.people.contracts import PersonView


@dataclass(frozen=True)
class RequestSignInCode:
    """Somebody asks for a code on their phone."""

    phone: str
    address: str


@dataclass(frozen=True)
class SignInCodeSent:
    """If the number belongs to an insured person, a code is on its way.

    The answer is the same for a number that nobody has, so that it cannot be used to find out.
    """

    expires_at: datetime
    resend_after_seconds: Seconds


@dataclass(frozen=True)
class SignIn:
    """Somebody shows the code from their phone."""

    phone: str
    code: str
    device_name: str
    address: str


@dataclass(frozen=True)
class SessionOpened:
    """A session with a short access token and a refresh token that serves once."""

    session_id: str
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    person: PersonView


@dataclass(frozen=True)
class RefreshSession:
    """A device asks for new tokens."""

    refresh_token: str
    address: str


@dataclass(frozen=True)
class SignOut:
    """A device ends its session."""

    actor: Actor


@dataclass(frozen=True)
class SignedOut:
    """The session is over; its tokens are worthless from now on."""

    session_id: str


@dataclass(frozen=True)
class PhoneInvalid(Refusal):
    """The text is not a mobile number of mainland China."""

    zh = "手机号码应为11位数字，以1开头。"
    en = "A mobile number has eleven digits and begins with 1."
    next_zh = "请核对手机号码后重新输入。"
    next_en = "Check the number and enter it again."


@dataclass(frozen=True)
class TooManyCodes(Refusal):
    """Codes were asked for too often, for one phone or from one address."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "获取验证码过于频繁，请在{retry_after_seconds}后再试。"
    en = "Codes were requested too often; try again in {retry_after_seconds}."
    next_zh = "如未收到短信，请检查信号和拦截短信；也可携身份证到经办窗口办理。"
    next_en = "Check your signal and blocked messages, or come to a counter with your ID card."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class CodeWrong(Refusal):
    """The code does not match, has expired, was used, or was never sent.

    ``attempts_left`` is 0 unless the caller has asked for a code that still stands.
    """

    zh = "验证码不正确或已失效，还可以尝试{attempts_left}次。"
    en = "The code is wrong or no longer valid; {attempts_left} attempts are left."
    next_zh = "请输入最新一条短信中的验证码，或重新获取。"
    next_en = "Enter the code of the newest message, or ask for another one."
    attempts_left: int


@dataclass(frozen=True)
class SignInLocked(Refusal):
    """Too many wrong codes for this phone from where the caller is."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "验证码错误次数过多，此处已暂停验证，请在{retry_after_seconds}后再试。"
    en = "Too many wrong codes; none is taken here for {retry_after_seconds}."
    next_zh = "如非本人操作，请拨打12393；也可携身份证到经办窗口办理。"
    next_en = "If this was not you, call 12393; or come to a counter with your ID card."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class SessionEnded(Refusal):
    """The refresh token is unknown, expired, was used before, or its session has ended."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "登录已失效。"
    en = "The session has ended."
    next_zh = "请重新登录；如收到非本人登录提醒，请拨打12393。"
    next_en = "Sign in again; if you are told of sign-ins that were not yours, call 12393."


@dataclass(frozen=True)
class RequestNewPhoneCode:
    """A signed-in person wants a code on the phone that they change to."""

    actor: Actor
    phone: str
    address: str


@dataclass(frozen=True)
class ChangePhone:
    """A signed-in person changes the phone, with the code that came to the new one."""

    actor: Actor
    phone: str
    code: str


@dataclass(frozen=True)
class PhoneChanged:
    """The phone that signs in from now on, masked, and how many other devices were signed out."""

    phone: MaskedNumber
    signed_out: int
