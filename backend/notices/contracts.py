"""Notices as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal


class NoticeTopic(StrEnum):
    """What a notice is about."""

    SECURITY = "SECURITY"
    MONEY = "MONEY"
    CARE = "CARE"
    """Appointments and prescriptions."""
    AFFAIRS = "AFFAIRS"
    """Applications, papers, filings, outages."""


NEVER_MUTED = (NoticeTopic.SECURITY, NoticeTopic.MONEY)
"""What nobody can choose not to be told: it is how one learns that something was not oneself."""


class Way(StrEnum):
    """By which channel a notice leaves; all of them stand in the inbox."""

    PUSH = "PUSH"
    SMS = "SMS"
    VOICE = "VOICE"


@dataclass(frozen=True)
class NoticeView:
    """A notice in somebody's inbox. Texts in Chinese and English; ``title`` and ``text`` are pairs.

    ``snapshot`` tells which other notices the inbox showed beside it.
    """

    id: str
    number: int
    kind: str
    topic: NoticeTopic
    title: tuple[str, str]
    text: tuple[str, str]
    at: datetime
    read_at: datetime | None
    snapshot: str


@dataclass(frozen=True)
class NoticeChoices:
    """When and of what somebody wants to be told. Hours as ``22:00``, of Chengdu's clock.

    In the quiet hours nothing leaves but what cannot wait; equal hours mean that none are quiet.
    """

    quiet_from: str
    quiet_until: str
    muted: tuple[NoticeTopic, ...]
    devices: int


@dataclass(frozen=True)
class SetNoticeChoices:
    """Choose quiet hours, and topics that stay in the inbox."""

    actor: Actor
    quiet_from: str
    quiet_until: str
    muted: tuple[NoticeTopic, ...]


@dataclass(frozen=True)
class RegisterPush:
    """Let the device that calls be pushed to. An empty token: no more."""

    actor: Actor
    token: str


@dataclass(frozen=True)
class ReadNotices:
    """Mark notices as read, up to a number of the inbox, so far as a snapshot showed them.

    Numbers are given before commit: a notice with a lower number may come up after one that was seen.
    """

    actor: Actor
    up_to: int
    snapshot: str = ""


@dataclass(frozen=True)
class NoticesRead:
    """How many are still unread."""

    unread: int


@dataclass(frozen=True)
class NoticeChoicesInvalid(Refusal):
    """Hours are not of a clock, a topic cannot be muted, or a push token is none."""

    zh = "设置无效：时间写作22:00，账户安全和资金类通知不能关闭，推送标识为1到512个可见字符。"
    en = (
        "Hours look like 22:00; security and money cannot be muted; a push token has 1 to 512 visible "
        "characters."
    )
    next_zh = "请更正后再次保存。"
    next_en = "Correct it and save again."
