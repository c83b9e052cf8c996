"""Monitoring of settlements as the rest of the system sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable


class Monitor(StrEnum):
    """A rule over settlements."""

    TRACE_TWICE = "TRACE_TWICE"
    """A pack that another place has sold before."""
    TRAVEL = "TRAVEL"
    """A code at two places that nobody gets between in the time."""
    SPLIT = "SPLIT"
    """One purchase in many small bills."""
    QUANTITY = "QUANTITY"
    """More of a drug than one person needs."""
    DEAD = "DEAD"
    """The code of somebody who has died."""
    ODD_HOURS = "ODD_HOURS"
    """A terminal that sells while its place is shut."""
    RELAYED = "RELAYED"
    """Codes of several people from other cities at one till within a short time."""

    def text(self, locale: Locale) -> str:
        """Return its name."""
        words = EXPLAINED[self]
        return words.title_zh if locale is Locale.ZH else words.title_en


class Effect(StrEnum):
    """What a rule does where it finds something."""

    OFF = "OFF"
    ALERT = "ALERT"
    HOLD = "HOLD"
    """The payment waits until an inspector has looked, or is paid otherwise."""


class Suspect(StrEnum):
    """What an alert is about."""

    PERSON = "PERSON"
    TERMINAL = "TERMINAL"
    PACK = "PACK"


class SightingOf(StrEnum):
    """In what something was seen."""

    SETTLEMENT = "SETTLEMENT"
    BILL = "BILL"
    """It is priced and not paid."""
    ATTEMPT = "ATTEMPT"
    """It was refused."""


class AlertState(StrEnum):
    """Where an alert stands."""

    RAISED = "RAISED"
    TAKEN = "TAKEN"
    VIOLATION = "VIOLATION"
    FALSE_ALARM = "FALSE_ALARM"


class AlertEvent(StrEnum):
    """What happens to an alert."""

    TAKE = "TAKE"
    HAND_BACK = "HAND_BACK"
    FIND_VIOLATION = "FIND_VIOLATION"
    DISMISS = "DISMISS"


ALERT_STATES: StateTable[AlertState, AlertEvent] = StateTable(
    name="alert",
    title="监管预警 an alert",
    initial=(AlertState.RAISED,),
    moves={
        (AlertState.RAISED, AlertEvent.TAKE): AlertState.TAKEN,
        (AlertState.TAKEN, AlertEvent.HAND_BACK): AlertState.RAISED,
        (AlertState.TAKEN, AlertEvent.FIND_VIOLATION): AlertState.VIOLATION,
        (AlertState.TAKEN, AlertEvent.DISMISS): AlertState.FALSE_ALARM,
    },
)


@dataclass(frozen=True)
class Explained:
    """A rule's name and what it says about what it saw, with the facts of a sighting filled in."""

    title_zh: str
    title_en: str
    zh: str
    en: str


EXPLAINED: Mapping[Monitor, Explained] = {
    Monitor.TRACE_TWICE: Explained(
        "追溯码重复销售",
        "pack sold twice",
        "追溯码 {trace_code} 曾于 {before} 在{where}销售，又在本机构销售或试图销售。",
        "The pack {trace_code} was sold on {before} at {where}, and here again or nearly so.",
    ),
    Monitor.TRAVEL: Explained(
        "短时异地用码",
        "impossible travel",
        "{minutes} 分钟前该参保人的码在{where}被扫描，两地直线距离 {km} 公里。",
        "{minutes} minutes earlier the code was scanned at {where}, {km} km away.",
    ),
    Monitor.SPLIT: Explained(
        "分解结算",
        "split bills",
        "{hours} 小时内在本机构分 {bills} 单结算，合计 {total} 元，每单不超过 {each} 元。",
        "{bills} bills here within {hours} hours, {total} yuan in all, none above {each} yuan.",
    ),
    Monitor.QUANTITY: Explained(
        "超量购药",
        "more than anybody needs",
        "{days} 天内购买{drug} {packs} 盒，超过 {most} 盒。",
        "{packs} packs of {drug} within {days} days, above {most}.",
    ),
    Monitor.DEAD: Explained(
        "死亡后用码",
        "used after death",
        "参保人已于 {died_on} 死亡，此后仍有结算。",
        "The insured person died on {died_on}; this was settled after that.",
    ),
    Monitor.ODD_HOURS: Explained(
        "非营业时间结算",
        "outside opening hours",
        "该终端在非营业时间 {hours} 小时内结算 {sales} 单。",
        "The terminal settled {sales} bills within {hours} hours while its place was shut.",
    ),
    Monitor.RELAYED: Explained(
        "异地码集中使用",
        "codes from other cities",
        "{minutes} 分钟内有 {people} 名外地参保人的码在该终端被用来购药。",
        "Codes of {people} people insured elsewhere paid at this till within {minutes} minutes.",
    ),
}


@dataclass(frozen=True)
class SightingView:
    """What was seen once, and where the threshold stands. ``said`` in Chinese and English."""

    of: SightingOf
    sale_id: str
    institution_name: str
    at: datetime
    total_fen: Fen
    said: tuple[str, str]
    others: tuple[str, ...]
    rule: str
    effective_from: date
    provisional: bool


@dataclass(frozen=True)
class AlertView:
    """An alert. ``person_name`` is masked; ``held_until``: a payment waits for it until then."""

    id: str
    monitor: Monitor
    suspect: Suspect
    state: AlertState
    region: str
    institution_name: str
    terminal_id: str | None
    person_id: str | None
    person_name: str | None
    trace_code: str | None
    raised_at: datetime
    held_until: datetime | None
    handler: str
    words: str
    sightings: tuple[SightingView, ...]


@dataclass(frozen=True)
class MonitorRate:
    """How a rule has done: alerts raised, judged, and judged false alarms."""

    monitor: Monitor
    raised: int
    violations: int
    false_alarms: int


@dataclass(frozen=True)
class WorkAlert:
    """An inspector takes an alert, hands it back, or says what it was, and why."""

    actor: Actor
    alert_id: str
    event: AlertEvent
    words: str


@dataclass(frozen=True)
class Held:
    """A payment waits for an alert until ``until``."""

    alert_id: str
    until: datetime


@dataclass(frozen=True)
class PaymentHeld(Refusal):
    """A monitoring rule found the payment unusual; an inspector looks at it before it is booked."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "本单触发监管规则“{monitor}”，正在等待核查，最迟{until}有结果。"
    en = "A monitoring rule ({monitor}) holds this bill; it is being looked at until {until}."
    next_zh = "请稍候再次结算；着急用药可先现金支付并保留票据，核查后到经办机构报销。"
    next_en = "Settle again later, or pay in cash, keep the invoice, and claim it afterwards."
    alert_id: str
    monitor: Monitor
    until: datetime


@dataclass(frozen=True)
class AlertNotFound(Refusal):
    """There is no such alert in the inspector's regions, or it cannot move like that now."""

    zh = "没有找到可以这样处理的预警。"
    en = "There is no alert that can be worked like this."
    next_zh = "请刷新预警列表；已由他人接手的预警请与其联系。"
    next_en = "Refresh the list; an alert that somebody has taken is theirs."


@dataclass(frozen=True)
class AlertWordsMissing(Refusal):
    """A finding needs words, up to 1,000 characters."""

    zh = "请写明核查情况，1到1000字。"
    en = "Say what was found, in 1 to 1,000 characters."
    next_zh = "补充说明后再次提交。"
    next_en = "Add what was found and send it again."
