"""A year of sales of a made-up province, honest and not, of which it is known which is which.

The same seed gives the same year. People buy near home, live away from where they are insured, travel and fly,
come back for what they forgot, stock up for three months, and pay for a relative who has just died; shops
keep longer hours than they say. Among them are planted cases of every kind of fraud that the rules look for.
How often each happens is made up: no published figures were found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from backend.institutions.contracts import InstitutionKind
from backend.kernel.calendar import SHANGHAI
from backend.kernel.money import QUANTITY_SCALE, Fen, Quantity
from backend.regions.library import children
from backend.sample_data.load import opening_hours, whereabouts
from backend.supervision.contracts import Monitor
from backend.supervision.logic import Bought, Sale, Spot
from backend.supervision.measuring import Known

T = TypeVar("T")
FIRST = date(2025, 7, 1)
DAYS = 365
PEOPLE = 2000
_PROVINCE = "510000"
_BEIJING = Spot(
    "P-110101", "北京市示例药店", "110100", 39_904_000, 116_407_000, ("00:00-24:00",) * 7
)
_HOLIDAYS = ((date(2025, 10, 1), 8), (date(2026, 2, 15), 9))
_FLIES = 60
_STATION_A_DAY = 20
_DRUGS = tuple((f"D{number:03d}", f"示例药品{number}") for number in range(60))
_PRICES = (1_200, 1_800, 2_500, 3_600, 4_800, 6_500, 9_000, 14_000)


@dataclass
class _Draws:
    """Whole numbers that look drawn and are the same each time."""

    seed: str
    count: int = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 up to and without a limit."""
        self.count += 1
        digest = hashlib.sha256(f"{self.seed}:{self.count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % limit

    def one_of(self, items: Sequence[T]) -> T:
        """Return one of some items."""
        return items[self.below(len(items))]

    def chance(self, of_thousand: int) -> bool:
        """Return whether something happens that does so often in a thousand times."""
        return self.below(1000) < of_thousand


@dataclass(frozen=True)
class _Person:
    """Somebody. ``home``: where they are insured; ``lives``: their pharmacies' county."""

    id: str
    home: str
    lives: str
    chronic: tuple[tuple[str, str], ...]
    stocks_up: bool


@dataclass
class Year:
    """The sales in the order of time, and who has died."""

    sales: list[Known] = field(default_factory=list)
    died: dict[str, date] = field(default_factory=dict)


@dataclass
class _Making:
    """A year in the making."""

    draws: _Draws
    places: dict[str, list[Spot]]
    counties: list[str]
    year: Year = field(default_factory=Year)
    packs: int = 0

    def pharmacy(self, county: str) -> Spot:
        return self.draws.one_of(self.places[county])

    def sell(
        self,
        person: _Person,
        spot: Spot,
        at: datetime,
        drugs: Sequence[tuple[str, str, int]],
        total: int = 0,
        fraud: Monitor | None = None,
        case: str = "",
        packs: tuple[str, ...] | None = None,
        terminal: str = "",
    ) -> Known:
        """Add a sale. ``drugs``: code, name and packs; without ``total`` their prices make it."""
        bought = tuple(
            Bought(code, name, Quantity(number * QUANTITY_SCALE)) for code, name, number in drugs
        )
        price = sum(number * _PRICES[int(code[1:]) % len(_PRICES)] for code, _, number in drugs)
        if packs is None:
            count = sum(number for _, _, number in drugs)
            packs = tuple(f"8{self.packs + one:019d}" for one in range(count))
            self.packs += count
        sale = Sale(
            id=f"S{len(self.year.sales):06d}",
            at=at,
            person_id=person.id,
            home_area=person.home,
            spot=spot,
            terminal_id=terminal or f"T-{spot.institution_id}",
            pharmacy=True,
            total_fen=Fen(total or price),
            drugs=bought,
        )
        self.year.sales.append(Known(sale, fraud, case, packs=packs))
        return self.year.sales[-1]

    def opening(self, spot: Spot, day: date) -> datetime:
        """Return an instant of a day at which a place is open, or at noon where it rests."""
        opens, _, closes = spot.hours[day.weekday()].partition("-")
        start, end = (_minutes(opens), _minutes(closes)) if closes else (720, 721)
        minute = start + self.draws.below(max(1, end - start))
        return datetime.combine(day, time(), SHANGHAI) + timedelta(minutes=minute)

    def day(self) -> date:
        return FIRST + timedelta(days=self.draws.below(DAYS))

    def basket(self, packs: int = 2, lines: int = 2) -> list[tuple[str, str, int]]:
        """Return a few different drugs of a few packs each."""
        start = self.draws.below(len(_DRUGS))
        return [
            (*_DRUGS[(start + 7 * one) % len(_DRUGS)], 1 + self.draws.below(packs))
            for one in range(1 + self.draws.below(lines))
        ]


def make_year(seed: str = "year", people: int = PEOPLE) -> Year:
    """Return a year of sales of so many people, in the order of time."""
    cities = children(_PROVINCE)
    counties = [county.code for city in cities for county in children(city.code)]
    places = {county: [_spot(county, serial) for serial in (1, 2)] for county in counties}
    making = _Making(_Draws(seed), places, counties)
    everybody = [_person(making, number) for number in range(people)]
    for person in everybody:
        _buys(making, person)
    _stations(making, everybody)
    _long_evenings(making, everybody)
    _last_bills(making, everybody)
    for plant in (_relays, _gangs, _splits, _resellers, _the_dead, _night_bills, _resold_packs):
        plant(making, everybody)
    making.year.sales.sort(key=lambda known: (known.sale.at, known.sale.id))
    return making.year


def _spot(county: str, serial: int) -> Spot:
    latitude, longitude = whereabouts(county, serial, "P")
    hours = opening_hours(InstitutionKind.PHARMACY, None, serial)
    area = f"{county[:4]}00"
    return Spot(
        f"P-{county}-{serial}", f"{county}示例药店{serial}", area, latitude, longitude, hours
    )


def _person(making: _Making, number: int) -> _Person:
    draws = making.draws
    home = draws.one_of(making.counties)
    lives = draws.one_of(making.counties) if draws.chance(150) else home
    chronic = tuple(draws.one_of(_DRUGS) for _ in range(1 + draws.below(3)))
    is_chronic = draws.chance(300)
    return _Person(
        f"N{number:05d}",
        f"{home[:4]}00",
        lives,
        chronic if is_chronic else (),
        stocks_up=is_chronic and draws.chance(150),
    )


def _buys(making: _Making, person: _Person) -> None:
    """Let somebody live through the year: chronic drugs, a cold, a trip, something forgotten."""
    draws = making.draws
    every = 84 if person.stocks_up else 28
    for day in range(draws.below(every), DAYS if person.chronic else 0, every):
        packs = (9 + draws.below(4)) if person.stocks_up else 1 + draws.below(4)
        drugs = [(code, name, packs) for code, name in dict(person.chronic).items()]
        spot = making.pharmacy(person.lives)
        at = making.opening(spot, FIRST + timedelta(days=day))
        making.sell(person, spot, at, drugs)
        if draws.chance(40):  # the pharmacy was short of some, or it was for two
            later = at + timedelta(days=1 + draws.below(4))
            making.sell(
                person, spot, later, [(code, name, 1 + draws.below(3)) for code, name, _ in drugs]
            )
    for _ in range(draws.below(9)):
        spot = making.pharmacy(person.lives)
        at = making.opening(spot, making.day())
        making.sell(person, spot, at, making.basket())
        for _ in range(3):  # back again for what was forgotten
            if not draws.chance(60):
                break
            at += timedelta(minutes=5 + draws.below(90))
            making.sell(person, spot, at, making.basket(packs=1))
    if draws.chance(200):
        _trip(making, person)


def _trip(making: _Making, person: _Person) -> None:
    """Let somebody buy at home and, once they have got there, at the other end of the province or in Beijing."""
    draws = making.draws
    start, length = draws.one_of(_HOLIDAYS)
    day = start + timedelta(days=draws.below(length))
    here = making.pharmacy(person.lives)
    leaves = datetime.combine(day, time(8), SHANGHAI) + timedelta(minutes=draws.below(240))
    making.sell(person, here, leaves, making.basket())
    flies = draws.chance(_FLIES)
    there = _BEIJING if flies else making.pharmacy(draws.one_of(making.counties))
    if there.area_code == here.area_code:
        return
    hours = 5 + draws.below(6) if flies else 4 + draws.below(8)
    making.sell(person, there, leaves + timedelta(hours=hours), making.basket())


def _stations(making: _Making, everybody: Sequence[_Person]) -> None:
    """Let travellers from everywhere buy at two pharmacies in railway stations, far more in the holidays."""
    draws = making.draws
    for county in ("510108", "510703"):
        base = making.places[county][0]
        spot = Spot(
            f"P-{county}-9", f"{county}示例车站药店", base.area_code,
            base.latitude, base.longitude, ("06:00-23:00",) * 7,
        )  # fmt: skip
        for number in range(DAYS):
            day = FIRST + timedelta(days=number)
            busy = any(start <= day < start + timedelta(days=length) for start, length in _HOLIDAYS)
            for _ in range(_STATION_A_DAY * (3 if busy else 1) // 2 + draws.below(_STATION_A_DAY)):
                person = draws.one_of(everybody)
                traveller = _Person(f"{person.id}-{number}", person.home, person.lives, (), False)
                making.sell(traveller, spot, making.opening(spot, day), making.basket(packs=1))


def _long_evenings(making: _Making, everybody: Sequence[_Person]) -> None:
    """Let three shops stay open in the evenings of a week without having said so."""
    draws = making.draws
    for county in making.counties[5:80:25]:
        spot = making.places[county][1]
        for number in range(7):
            day = _HOLIDAYS[1][0] + timedelta(days=number)
            for _ in range(4 + draws.below(4)):
                at = datetime.combine(day, time(19, 10), SHANGHAI)
                person = draws.one_of(everybody)
                neighbour = _Person(f"{person.id}-e", spot.area_code, county, (), False)
                at += timedelta(minutes=draws.below(110))
                making.sell(neighbour, spot, at, making.basket())


def _last_bills(making: _Making, everybody: Sequence[_Person]) -> None:
    """Let some people die; of a few, a bill is paid by the family the next morning."""
    draws = making.draws
    for number in range(len(everybody) // 100):
        person = everybody[number * 97 % len(everybody)]
        bought = [
            one.sale.at.date() for one in making.year.sales if one.sale.person_id == person.id
        ]
        last = max(bought, default=FIRST)
        if last >= FIRST + timedelta(days=DAYS - 2):
            continue
        making.year.died[person.id] = last
        if draws.chance(100):
            spot = making.pharmacy(person.lives)
            at = datetime.combine(last + timedelta(days=1), time(10), SHANGHAI)
            making.sell(person, spot, at, making.basket(packs=1, lines=1))


def _victim(making: _Making, everybody: Sequence[_Person], number: int) -> _Person:
    living = [one for one in everybody if one.id not in making.year.died]
    return living[(number * 131 + 17) % len(living)]


def _relays(making: _Making, everybody: Sequence[_Person]) -> None:
    """A code is used far away within the hour of its holder's own purchase."""
    for number in range(12):
        person = _victim(making, everybody, number)
        spot = making.pharmacy(person.lives)
        at = making.opening(spot, making.day())
        making.sell(person, spot, at, making.basket())
        far = next(
            place[0]
            for county, place in making.places.items()
            if county[:4] == ("5134" if person.lives[:4] != "5134" else "5117")
        )
        at += timedelta(minutes=10 + making.draws.below(45))
        making.sell(person, far, at, making.basket(), 19_000, Monitor.TRAVEL, f"relay-{number}")


def _gangs(making: _Making, everybody: Sequence[_Person]) -> None:
    """Codes of people from other cities are used one after another at one till."""
    for number in range(6):
        county = making.counties[(number * 29 + 3) % len(making.counties)]
        spot = making.places[county][0]
        at = making.opening(spot, making.day())
        strangers = [one for one in everybody if one.home != spot.area_code]
        for place in range(5 + making.draws.below(4)):
            at += timedelta(minutes=2 + making.draws.below(4))
            person = strangers[(number * 211 + place * 37) % len(strangers)]
            making.sell(
                person, spot, at, making.basket(), 19_500, Monitor.RELAYED, f"gang-{number}"
            )


def _splits(making: _Making, everybody: Sequence[_Person]) -> None:
    """A shop breaks a large purchase into bills below the limit."""
    for number in range(15):
        person = _victim(making, everybody, 40 + number)
        spot = making.pharmacy(person.lives)
        at = making.opening(spot, making.day())
        for _ in range(3 + making.draws.below(3)):
            at += timedelta(minutes=1 + making.draws.below(6))
            total = 15_000 + making.draws.below(5_000)
            making.sell(person, spot, at, making.basket(), total, Monitor.SPLIT, f"split-{number}")


def _resellers(making: _Making, everybody: Sequence[_Person]) -> None:
    """Somebody buys one drug at many places to sell it on."""
    for number in range(10):
        person = _victim(making, everybody, 80 + number)
        day, drug = making.day(), making.draws.one_of(_DRUGS)
        for _ in range(5 + making.draws.below(6)):
            spot = making.pharmacy(person.lives)
            day = min(day + timedelta(days=1 + making.draws.below(4)), FIRST + timedelta(days=DAYS))
            drugs = [(*drug, 3 + making.draws.below(4))]
            making.sell(
                person,
                spot,
                making.opening(spot, day),
                drugs,
                0,
                Monitor.QUANTITY,
                f"resale-{number}",
            )


def _the_dead(making: _Making, everybody: Sequence[_Person]) -> None:
    """Somebody goes on using the code of a person who has died."""
    by_id = {one.id: one for one in everybody}
    for number, (person_id, day) in enumerate(sorted(making.year.died.items())[:6]):
        person = by_id[person_id]
        spot = making.pharmacy(person.lives)
        for later in (9, 30):
            at = making.opening(spot, day + timedelta(days=later))
            making.sell(person, spot, at, making.basket(), 0, Monitor.DEAD, f"dead-{number}")


def _night_bills(making: _Making, everybody: Sequence[_Person]) -> None:
    """A shop books sales at night that nobody made."""
    for number in range(5):
        county = making.counties[(number * 41 + 9) % len(making.counties)]
        spot = making.places[county][1]
        at = datetime.combine(making.day(), time(1), SHANGHAI)
        people = [one for one in everybody if one.home == spot.area_code]
        for place in range(8 + making.draws.below(12)):
            at += timedelta(minutes=2 + making.draws.below(9))
            person = people[(number + place * 3) % len(people)]
            making.sell(person, spot, at, making.basket(), 0, Monitor.ODD_HOURS, f"night-{number}")


def _resold_packs(making: _Making, everybody: Sequence[_Person]) -> None:
    """A pack that was sold is sold again by another shop."""
    sold = [one for one in making.year.sales if one.fraud is None and one.packs]
    for number in range(10):
        first = sold[(number * 1_709 + 5) % len(sold)]
        person = _victim(making, everybody, 120 + number)
        spot = making.pharmacy(person.lives)
        if spot == first.sale.spot:
            spot = next(one for one in making.places[person.lives] if one != spot)
        day = min(first.sale.at.date() + timedelta(days=20), FIRST + timedelta(days=DAYS))
        making.sell(
            person, spot, making.opening(spot, day), making.basket(), 0,
            Monitor.TRACE_TWICE, f"pack-{number}", packs=first.packs[:1],
        )  # fmt: skip


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)
