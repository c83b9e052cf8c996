"""Pure decisions about notices: by which ways, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from backend.kernel.calendar import local
from backend.notices.contracts import NEVER_MUTED, NoticeTopic, Way

_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)
_TOKEN = re.compile(r"[!-~]{1,512}\Z", re.ASCII)


@dataclass(frozen=True)
class Sending:
    """By which way something leaves, and not before when."""

    way: Way
    due: datetime


@dataclass(frozen=True)
class Reach:
    """How somebody can be reached, and wants to be."""

    has_phone: bool
    has_devices: bool
    wants_calls: bool
    quiet_from: str
    quiet_until: str
    muted: tuple[NoticeTopic, ...] = ()


def sendings(topic: NoticeTopic, urgent: bool, reach: Reach, now: datetime) -> list[Sending]:
    """Return by which ways a notice leaves, and when.

    A device is pushed to where there is one; without one the phone gets a message. Whoever wants calls is
    called instead, and what is about the account's safety goes to the phone as well: the device may be the
    thief's. In the quiet hours only what is urgent leaves; nobody is called then, so an urgent message is
    written and read aloud in the morning.
    """
    if topic in reach.muted and topic not in NEVER_MUTED:
        return []
    morning = quiet_until(now, reach.quiet_from, reach.quiet_until)
    due = now if urgent or morning is None else morning
    ways = [Sending(Way.PUSH, due)] if reach.has_devices else []
    if not reach.has_phone:
        return ways
    if reach.wants_calls:
        if urgent and morning is not None:
            ways.append(Sending(Way.SMS, now))
        return [*ways, Sending(Way.VOICE, morning or now)]
    if not ways or topic is NoticeTopic.SECURITY:
        ways.append(Sending(Way.SMS, due))
    return ways


def quiet_until(now: datetime, begins: str, ends: str) -> datetime | None:
    """Return when the quiet hours end that it is in; ``None`` outside them."""
    clock = local(now)
    start, end, at = _time(begins), _time(ends), clock.time()
    inside = start <= at < end if start <= end else at >= start or at < end
    if not inside:
        return None
    morning = datetime.combine(clock.date(), end, clock.tzinfo)
    return morning if morning > clock else morning + timedelta(days=1)


def is_hour(text: str) -> bool:
    """Tell whether a text is an hour of a clock."""
    return _HOUR.match(text) is not None


def is_token(text: str) -> bool:
    """Tell whether a text can be a push token."""
    return _TOKEN.match(text) is not None


def _time(text: str) -> time:
    hours, _, minutes = text.partition(":")
    return time(int(hours), int(minutes))
