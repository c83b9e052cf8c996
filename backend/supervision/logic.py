"""The rules over settlements, one small pure function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.institutions.contracts import Point
from backend.institutions.logic import is_open, metres_between
from backend.kernel.calendar import local, local_day
from backend.kernel.money import Fen, Quantity, units, yuan_text
from backend.supervision.contracts import Effect, Monitor, Suspect

NIGHT_HOURS = 8
WORDS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Spot:
    """A place. ``hours`` of the seven days from Monday; coordinates in millionths of a degree."""

    institution_id: str
    name: str
    area_code: str
    latitude: int | None = None
    longitude: int | None = None
    hours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody's own code was scanned."""

    at: datetime
    spot: Spot


@dataclass(frozen=True, slots=True)
class Bought:
    """A drug and how many packs of it."""

    code: str
    name: str
    packs: Quantity


@dataclass(frozen=True, slots=True)
class Sale:
    """What was paid, or is about to be. ``home_area``: where the person is insured."""

    id: str
    at: datetime
    person_id: str
    home_area: str
    spot: Spot
    terminal_id: str
    pharmacy: bool
    total_fen: Fen
    drugs: tuple[Bought, ...] = ()
    stay: bool = False


@dataclass(frozen=True, slots=True)
class PackSale:
    """That a pack was sold, whether or not it was taken back."""

    trace_code: str
    sale_id: str
    spot: Spot
    at: datetime


@dataclass(frozen=True, slots=True)
class Scene:
    """A sale and what came before it: of the person, at the terminal, of its packs.

    ``seen``: scans of the person's own code, of this sale too, the newest first.
    """

    sale: Sale
    seen: tuple[Presence, ...] = ()
    of_person: tuple[Sale, ...] = ()
    of_terminal: tuple[Sale, ...] = ()
    packs: tuple[PackSale, ...] = ()
    died_on: date | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The thresholds of a day and a region."""

    effects: Mapping[Monitor, Effect]
    travel_least_km: int
    travel_km_per_hour: int
    fly_least_km: int
    fly_km_per_hour: int
    fly_more_minutes: int
    split_hours: int
    split_bills: int
    split_each_fen: Fen
    split_total_fen: Fen
    quantity_days: int
    quantity_packs: int
    odd_grace_minutes: int
    odd_sales: int
    relayed_minutes: int
    relayed_people: int
    relayed_least_fen: Fen
    hold_hours: int
    quiet_days: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule saw. ``facts`` fill its sentence; ``others`` are earlier sales that belong to it."""

    monitor: Monitor
    suspect: Suspect
    subject: str
    facts: Mapping[str, str | int]
    others: tuple[str, ...] = ()


def trace_twice(scene: Scene, terms: Terms) -> Found | None:
    """A pack is sold once (one box, one sale): not by a second place, even after a refund."""
    del terms
    here = scene.sale.spot.institution_id
    for pack in scene.packs:
        if pack.spot.institution_id != here:
            facts = {
                "trace_code": pack.trace_code,
                "before": local_day(pack.at).isoformat(),
                "where": pack.spot.name,
            }
            return Found(Monitor.TRACE_TWICE, Suspect.PACK, pack.trace_code, facts, (pack.sale_id,))
    return None


def travel(scene: Scene, terms: Terms) -> Found | None:
    """Nobody gets from one place to the other in the time between two scans of their own code.

    What was paid from afar, without a scan at the place, says nothing about where anybody was.
    """
    place = scene.sale.spot.institution_id
    here = next((one for one in scene.seen if one.spot.institution_id == place), None)
    for earlier in scene.seen:
        if here is None or earlier.at > here.at:
            continue
        km = _km(earlier.spot, here.spot)
        minutes = int((here.at - earlier.at).total_seconds()) // 60
        if km is None or km < terms.travel_least_km:
            continue
        if minutes < _least_minutes(km, terms):
            facts: dict[str, str | int] = {
                "minutes": minutes,
                "where": earlier.spot.name,
                "km": km,
            }
            return Found(Monitor.TRAVEL, Suspect.PERSON, scene.sale.person_id, facts)
    return None


def split(scene: Scene, terms: Terms) -> Found | None:
    """Many small bills of one person at one pharmacy that together are a large one."""
    sale = scene.sale
    since = sale.at - timedelta(hours=terms.split_hours)
    small = [
        one
        for one in (*scene.of_person, sale)
        if one.pharmacy
        and one.at > since
        and one.spot.institution_id == sale.spot.institution_id
        and one.total_fen <= terms.split_each_fen
    ]
    total = Fen(sum(one.total_fen for one in small))
    if sale not in small or len(small) < terms.split_bills or total <= terms.split_total_fen:
        return None
    facts: dict[str, str | int] = {
        "hours": terms.split_hours,
        "bills": len(small),
        "total": yuan_text(total),
        "each": yuan_text(terms.split_each_fen),
    }
    others = tuple(one.id for one in small if one is not sale)
    return Found(Monitor.SPLIT, Suspect.PERSON, sale.person_id, facts, others)


def quantity(scene: Scene, terms: Terms) -> Found | None:
    """More packs of one drug than a person can need in the days, from all places together."""
    sale = scene.sale
    since = sale.at - timedelta(days=terms.quantity_days)
    lately = [one for one in scene.of_person if one.at > since]
    for drug in sale.drugs:
        bought = [(one, _packs(one, drug.code)) for one in (*lately, sale)]
        packs = sum(number for _, number in bought)
        if packs > terms.quantity_packs:
            facts: dict[str, str | int] = {
                "days": terms.quantity_days,
                "drug": drug.name,
                "packs": packs,
                "most": terms.quantity_packs,
            }
            others = tuple(one.id for one, number in bought if number and one is not sale)
            return Found(Monitor.QUANTITY, Suspect.PERSON, sale.person_id, facts, others)
    return None


def dead(scene: Scene, terms: Terms) -> Found | None:
    """Nobody's code pays after their death. A stay in hospital is settled by the family."""
    del terms
    sale = scene.sale
    if sale.stay or scene.died_on is None or local_day(sale.at) <= scene.died_on:
        return None
    facts = {"died_on": scene.died_on.isoformat()}
    return Found(Monitor.DEAD, Suspect.PERSON, sale.person_id, facts)


def odd_hours(scene: Scene, terms: Terms) -> Found | None:
    """A terminal sells again and again while its place says that it is shut."""
    sale = scene.sale
    since = sale.at - timedelta(hours=NIGHT_HOURS)
    odd = [
        one
        for one in (*scene.of_terminal, sale)
        if one.at > since and _is_shut(one, terms.odd_grace_minutes)
    ]
    if sale not in odd or len(odd) < terms.odd_sales:
        return None
    facts: dict[str, str | int] = {"hours": NIGHT_HOURS, "sales": len(odd)}
    others = tuple(one.id for one in odd if one is not sale)
    return Found(Monitor.ODD_HOURS, Suspect.TERMINAL, sale.terminal_id, facts, others)


def relayed(scene: Scene, terms: Terms) -> Found | None:
    """Codes of several people who are insured in other cities buy at one till in a short time."""
    sale = scene.sale
    if not _from_afar(sale, terms):
        return None
    since = sale.at - timedelta(minutes=terms.relayed_minutes)
    lately = [one for one in scene.of_terminal if one.at > since and _from_afar(one, terms)]
    people = {one.person_id for one in lately} | {sale.person_id}
    if len(people) < terms.relayed_people:
        return None
    facts: dict[str, str | int] = {"minutes": terms.relayed_minutes, "people": len(people)}
    others = tuple(one.id for one in lately)
    return Found(Monitor.RELAYED, Suspect.TERMINAL, sale.terminal_id, facts, others)


MONITORS: Mapping[Monitor, Callable[[Scene, Terms], Found | None]] = {
    Monitor.DEAD: dead,
    Monitor.TRAVEL: travel,
    Monitor.RELAYED: relayed,
    Monitor.TRACE_TWICE: trace_twice,
    Monitor.SPLIT: split,
    Monitor.QUANTITY: quantity,
    Monitor.ODD_HOURS: odd_hours,
}
"""Every rule, in the order in which they are asked; a payment is held for the first that finds something."""


def examine(scene: Scene, terms: Terms) -> list[Found]:
    """Return what the rules that are in force see in a sale."""
    found = (
        rule(scene, terms)
        for name, rule in MONITORS.items()
        if terms.effects[name] is not Effect.OFF
    )
    return [one for one in found if one is not None]


def _km(one: Spot, other: Spot) -> int | None:
    """Return the distance as the crow flies in whole kilometres, ``None`` where it is not known."""
    if one.institution_id == other.institution_id:
        return None
    ends = [
        Point(spot.latitude, spot.longitude)
        for spot in (one, other)
        if spot.latitude is not None and spot.longitude is not None
    ]
    return metres_between(*ends) // 1000 if len(ends) == 2 else None


def _packs(sale: Sale, code: str) -> int:
    return int(sum(units(drug.packs) for drug in sale.drugs if drug.code == code))


def _is_shut(sale: Sale, grace_minutes: int) -> bool:
    """Tell whether a place is shut at a sale, and some minutes before and after it."""
    grace = timedelta(minutes=grace_minutes)
    moments = (sale.at - grace, sale.at, sale.at + grace)
    return all(is_open(sale.spot.hours, local(moment)) is False for moment in moments)


def _from_afar(sale: Sale, terms: Terms) -> bool:
    large = sale.total_fen >= terms.relayed_least_fen
    return large and sale.pharmacy and sale.home_area != sale.spot.area_code


def _least_minutes(km: int, terms: Terms) -> int:
    """Return in how many minutes somebody can get so far, on the ground or by air."""
    ground = km * 60 // terms.travel_km_per_hour
    by_air = terms.fly_more_minutes + km * 60 // terms.fly_km_per_hour
    return min(ground, by_air) if km >= terms.fly_least_km else ground
