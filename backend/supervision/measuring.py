"""Runs the rules over a known history and counts what they catch, what they miss and how often they are wrong.

Alerts are judged as an inspector with a day's delay would: what is seen meanwhile belongs to the open alert,
and a subject that was in order is left in peace by the same rule for as long as the terms say.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from backend.supervision.contracts import Effect, Monitor
from backend.supervision.logic import (
    MONITORS,
    NIGHT_HOURS,
    PackSale,
    Presence,
    Sale,
    Scene,
    Terms,
    examine,
)

T = TypeVar("T", Sale, Presence)
JUDGED_AFTER = timedelta(days=1)
_SCANS = timedelta(days=1)


@dataclass(frozen=True)
class Known:
    """A sale of which it is known whether it was honest.

    ``fraud`` names the kind of fraud, ``None`` for an honest sale; ``case`` groups the sales of one fraud.
    ``in_hand``: the person's own code was scanned. ``packs``: trace codes.
    """

    sale: Sale
    fraud: Monitor | None = None
    case: str = ""
    in_hand: bool = True
    packs: tuple[str, ...] = ()


@dataclass
class Measured:
    """How a rule did. ``caught`` and ``planted`` count cases; ``right`` and ``wrong`` count alerts."""

    monitor: Monitor
    effect: Effect
    planted: int = 0
    caught: int = 0
    right: int = 0
    wrong: int = 0
    wrong_held: int = 0
    """Honest sales that waited for an inspector."""


@dataclass
class _Past:
    """What happened so far, by whom and where."""

    of_person: dict[str, list[Sale]] = field(default_factory=dict)
    of_terminal: dict[str, list[Sale]] = field(default_factory=dict)
    of_pack: dict[str, list[PackSale]] = field(default_factory=dict)
    seen: dict[str, list[Presence]] = field(default_factory=dict)

    def scene(self, known: Known, terms: Terms, died_on: date | None) -> Scene:
        sale = known.sale
        night = timedelta(hours=NIGHT_HOURS, minutes=terms.relayed_minutes)
        month = timedelta(days=terms.quantity_days, hours=terms.split_hours)
        seen = _since(self.seen.get(sale.person_id, []), sale.at - _SCANS)
        return Scene(
            sale=sale,
            seen=tuple(reversed(seen)),
            of_person=tuple(_since(self.of_person.get(sale.person_id, []), sale.at - month)),
            of_terminal=tuple(_since(self.of_terminal.get(sale.terminal_id, []), sale.at - night)),
            packs=tuple(one for code in known.packs for one in self.of_pack.get(code, [])),
            died_on=died_on,
        )

    def scan(self, known: Known) -> None:
        if known.in_hand:
            presence = Presence(known.sale.at, known.sale.spot)
            self.seen.setdefault(known.sale.person_id, []).append(presence)

    def add(self, known: Known) -> None:
        sale = known.sale
        self.of_person.setdefault(sale.person_id, []).append(sale)
        self.of_terminal.setdefault(sale.terminal_id, []).append(sale)
        for code in known.packs:
            pack = PackSale(code, sale.id, sale.spot, sale.at)
            self.of_pack.setdefault(code, []).append(pack)


@dataclass
class _Open:
    """An alert that is not judged yet."""

    raised_at: datetime
    cases: set[str] = field(default_factory=set)


def measure(
    history: Sequence[Known], died: Mapping[str, date], terms_on: Callable[[date], Terms]
) -> list[Measured]:
    """Return how each rule does on a history, which is in the order of time."""
    past = _Past()
    effects = terms_on(history[-1].sale.at.date()).effects
    results = {one: Measured(one, effects[one]) for one in MONITORS}
    caught: dict[Monitor, set[str]] = {one: set() for one in MONITORS}
    alerts: dict[tuple[Monitor, str], _Open] = {}
    quiet: dict[tuple[Monitor, str], datetime] = {}
    for known in history:
        terms = terms_on(known.sale.at.date())
        past.scan(known)
        scene = past.scene(known, terms, died.get(known.sale.person_id))
        for found in examine(scene, terms):
            key = (found.monitor, found.subject)
            _judge(alerts, quiet, results, key, known.sale.at, terms)
            if quiet.get(key, known.sale.at) > known.sale.at:
                continue
            alert = alerts.setdefault(key, _Open(known.sale.at))
            alert.cases |= {known.case} if known.fraud is not None else set()
            caught[found.monitor] |= alert.cases
            if terms.effects[found.monitor] is Effect.HOLD and known.fraud is None:
                results[found.monitor].wrong_held += 1
        past.add(known)
    for monitor, alert in ((key[0], alert) for key, alert in alerts.items()):
        _count(results[monitor], alert)
    for monitor in MONITORS:
        planted = {one.case for one in history if one.fraud is monitor}
        results[monitor].planted = len(planted)
        results[monitor].caught = len(planted & caught[monitor])
    return list(results.values())


def _judge(
    alerts: dict[tuple[Monitor, str], _Open],
    quiet: dict[tuple[Monitor, str], datetime],
    results: Mapping[Monitor, Measured],
    key: tuple[Monitor, str],
    now: datetime,
    terms: Terms,
) -> None:
    """Judge the alert of a subject where the inspector has had the time."""
    alert = alerts.get(key)
    if alert is None or now - alert.raised_at < JUDGED_AFTER:
        return
    del alerts[key]
    _count(results[key[0]], alert)
    if not alert.cases:
        quiet[key] = alert.raised_at + JUDGED_AFTER + timedelta(days=terms.quiet_days)


def _count(result: Measured, alert: _Open) -> None:
    result.right += bool(alert.cases)
    result.wrong += not alert.cases


def _since(items: list[T], since: datetime) -> list[T]:
    return items[bisect_left(items, since, key=lambda one: one.at) :]
