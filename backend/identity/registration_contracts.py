"""Commands, views and refusals of real-name registration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.identity.contracts import SessionOpened
from backend.kernel.errors import Refusal, Retry, Seconds


class CivilAnswer(StrEnum):
    """What the civil register says of a name and an ID number."""

    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    UNKNOWN = "UNKNOWN"
    DECEASED = "DECEASED"


@dataclass(frozen=True)
class RequestRegistrationCode:
    """Somebody who wants to register asks for a code on their phone."""

    phone: str
    address: str


@dataclass(frozen=True)
class Register:
    """Somebody registers with name, ID number and the code from their phone."""

    name: str
    id_number: str
    phone: str
    code: str
    device_name: str
    address: str


@dataclass(frozen=True)
class RegisterAnswered:
    """The civil register has answered about somebody who registers."""

    asked: Register
    answer: CivilAnswer | None


@dataclass(frozen=True)
class MayAskRegister:
    """Phone and number are fine so far; the civil register may be asked."""

    name: str
    id_number: str


@dataclass(frozen=True)
class RegistrationWaiting:
    """The insurance knows this person without a phone: a clerk compares the identity card first."""

    registration_id: str
    asked_at: datetime


@dataclass(frozen=True)
class RegistrationView:
    """A registration that waits at the counter, masked."""

    id: str
    person_name: str
    phone: str
    asked_at: datetime


Registered = SessionOpened | RegistrationWaiting


@dataclass(frozen=True)
class NameInvalid(Refusal):
    """The name is empty, too long, or holds characters that no name has."""

    zh = "姓名填写不正确。"
    en = "This is no name."
    next_zh = "请按身份证填写姓名，不要有空格、数字和符号（少数民族姓名的间隔号“·”可以保留）。"
    next_en = "Copy the name from the identity card, without digits or signs."


@dataclass(frozen=True)
class IdentityNotConfirmed(Refusal):
    """The civil register does not confirm name and number; it is not told which is wrong."""

    zh = "姓名与身份证号码未通过公安信息核验。"
    en = "The civil register does not confirm this name with this number."
    next_zh = "请对照身份证核对后重试；刚改过姓名或信息未更新的，请携身份证到经办窗口办理。"
    next_en = (
        "Compare both with the identity card; whoever has changed the name comes to a counter."
    )


@dataclass(frozen=True)
class RegisterUnavailable(Refusal):
    """The civil register does not answer now; the code from the phone stays valid."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "公安信息核验暂时没有响应，您填写的内容和验证码仍然有效。"
    en = "The civil register does not answer now; what you entered stays valid."
    next_zh = "请稍后直接重试；急需办理可携身份证到经办窗口。"
    next_en = "Try the same again in a moment; a counter helps at once with the identity card."


@dataclass(frozen=True)
class AlreadyRegistered(Refusal):
    """The person has an account with another phone, or the same one."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "您已用手机号{phone}登记过。"
    en = "You are registered with the phone {phone} already."
    next_zh = "请用该手机号登录；号码已停用的，携身份证到经办窗口变更。"
    next_en = "Sign in with it; if it is out of use, come to a counter with the identity card."
    phone: str


@dataclass(frozen=True)
class PhoneTaken(Refusal):
    """The phone signs in somebody else already: one phone is one person's key."""

    zh = "这个手机号已是他人的登录手机号。"
    en = "This phone signs in somebody else already."
    next_zh = "请使用本人的手机号；没有手机的老人可由亲属绑定亲情账户代办，或凭打印码、身份证就医。"
    next_en = (
        "Use a phone of your own; elders without one are served by relatives, card or printed code."
    )


@dataclass(frozen=True)
class TooManyRegistrations(Refusal):
    """Registering was tried too often from this phone or with this number."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "登记尝试过于频繁，请在{retry_after_seconds}后再试。"
    en = "Registering was tried too often; try again in {retry_after_seconds}."
    next_zh = "也可携身份证到经办窗口办理。"
    next_en = "Or come to a counter with the identity card."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class RegistrationNotFound(Refusal):
    """There is no such registration that waits."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到待核验的登记。"
    en = "There is no such registration that waits."
    next_zh = "请刷新待办列表。"
    next_en = "Look at the list again."
