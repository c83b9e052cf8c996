"""Staff as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backend.access.contracts import Actor, Duty
from backend.kernel.errors import Refusal, Seconds


@dataclass(frozen=True)
class StaffView:
    """A member of staff. ``number`` is what they sign in with and what every record of an act names."""

    id: str
    number: str
    name: str
    duties: tuple[Duty, ...]
    blocked_at: datetime | None


@dataclass(frozen=True)
class StaffAdded:
    """A new member of staff, with what is handed over once and never shown again."""

    staff: StaffView
    password: str
    totp_uri: str


@dataclass(frozen=True, kw_only=True)
class OpenStaffSession:
    """Signs a member of staff in: number, password, and the six digits of their authenticator."""

    number: str
    password: str
    code: str
    address: str


@dataclass(frozen=True)
class StaffSessionOpened:
    """An open session at the desk."""

    session_id: str
    access_token: str
    expires_at: datetime
    staff: StaffView


@dataclass(frozen=True)
class CloseStaffSession:
    """A member of staff leaves the desk."""

    actor: Actor


@dataclass(frozen=True)
class StaffSessionClosed:
    """The session that has ended."""

    session_id: str


@dataclass(frozen=True)
class ChangeStaffPassword:
    """A member of staff chooses a new password."""

    actor: Actor
    password: str
    new_password: str


@dataclass(frozen=True)
class StaffPasswordChanged:
    """Every other session of theirs has ended."""

    staff_id: str


@dataclass(frozen=True)
class StaffSignInWrong(Refusal):
    """Number, password or code is wrong; it is not said which."""

    zh = "工号、密码或动态码不正确。"
    en = "Number, password or code is wrong."
    next_zh = "请核对后重试；每个动态码只能用一次。忘记密码请联系管理员重置。"
    next_en = "Try again; each code serves once. An administrator resets a lost password."


@dataclass(frozen=True)
class StaffLocked(Refusal):
    """Too many wrong attempts for one number, from the caller's address or from unknown ones."""

    zh = "连续输错次数过多，此工号在当前网络已临时锁定。"
    en = "Too many wrong attempts; this number is locked here for a while."
    next_zh = "请在锁定时间过后再试，或联系管理员。"
    next_en = "Try again when the time is over, or ask an administrator."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class StaffPasswordWeak(Refusal):
    """The new password is short, or holds the number or name."""

    zh = "新密码至少 12 个字符，且不能包含工号或姓名。"
    en = "A new password has at least 12 characters and holds neither number nor name."
    next_zh = "可以用四个不相关的词组成一句话。"
    next_en = "Four words that have nothing to do with each other make a good one."
