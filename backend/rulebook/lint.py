"""Checks packs beyond their form: what they say, when, within which bounds, and on what authority.

A fault stops a pack from being used; a remark is for its author to consider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

from backend.kernel.money import Fen, percent_text, share, yuan_text
from backend.rulebook.contracts import Finding
from backend.rulebook.library import NATION, Rulebook, make_book
from backend.rulebook.packs import PackInvalid, Parameter
from backend.rulebook.vocabulary import Term, kind_of, vocabulary

LEAD_DAYS = 30
REVIEW_DAYS = 366
PLACES = ("LEVEL_3", "LEVEL_2", "LEVEL_1", "LEVEL_0")
FILINGS = ("NONE", "TEMPORARY", "REFERRAL", "EMERGENCY", "LONG_TERM_RESIDENT")
TILTED = ("EXTREME_POVERTY", "MINIMUM_LIVING", "RETURNED_TO_POVERTY")


@dataclass(frozen=True)
class Checked:
    """What the check of packs found."""

    faults: tuple[str, ...]
    remarks: tuple[str, ...]


def check(
    packs: Mapping[str, Any],
    shipped: Mapping[str, Any],
    today: date,
    lead_days: int = LEAD_DAYS,
) -> Checked:
    """Check packs, with those that ship with the program behind them.

    A pack of a region and topic that ships already takes the place of the shipped one.
    """
    try:
        book = make_book(overlaid(shipped, packs))
    except PackInvalid as invalid:
        return Checked(tuple(str(invalid).split("\n")), ())
    faults: list[str] = []
    remarks: list[str] = []
    for name, pack in packs.items():
        faults += [f"{name}: {fault}" for fault in _faults(pack, book, lead_days)]
        remarks += [f"{name}: {remark}" for remark in _remarks(pack, today)]
    return Checked(tuple(faults), tuple(remarks))


def overlaid(shipped: Mapping[str, Any], packs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shipped packs with others in place of those of the same region and topic."""
    taken = {(pack["region"], pack["topic"]) for pack in packs.values() if _is_headed(pack)}
    kept = {
        name: pack
        for name, pack in shipped.items()
        if (pack["region"], pack["topic"]) not in taken and name not in packs
    }
    return {**kept, **packs}


def _is_headed(pack: Any) -> bool:
    return isinstance(pack, dict) and {"region", "topic"} <= pack.keys()


def _faults(pack: Any, book: Rulebook, lead_days: int) -> Iterator[str]:
    yield from _words(pack)
    yield from _requirements(pack, book)
    yield from _times(pack, lead_days)
    yield from _authority(pack)
    yield from _bounds(pack, book)


def _words(pack: Any) -> Iterator[str]:
    """Names, units, dimensions and choices are those of the vocabulary."""
    known = vocabulary()
    terms = known.topic(pack["topic"]).terms
    for name, parameter in pack["parameters"].items():
        term = terms.get(name)
        if term is None:
            near = ", ".join(sorted(terms))
            yield f"{name}: {pack['topic']} knows no such parameter; it knows {near}"
            continue
        if parameter["unit"] != term.unit:
            yield f"{name}: its unit is {term.unit}, not {parameter['unit']}"
        for dimension in parameter.get("by", ()):
            if dimension not in known.dimensions:
                yield f"{name}: {dimension} is no dimension that tables may be split by"
        yield from _choices(name, parameter, term)


def _choices(name: str, parameter: Any, term: Term) -> Iterator[str]:
    if not term.choices:
        return
    for _, value in _raw_values(parameter):
        for choice in value if isinstance(value, list) else [value]:
            if choice not in term.choices:
                yield f"{name}: {choice} is none of {', '.join(term.choices)}"


def _requirements(pack: Any, book: Rulebook) -> Iterator[str]:
    """What must be there is there, in the pack or in what stands above its region."""
    region, topic = pack["region"], pack["topic"]
    if topic == "bounds" or kind_of(topic) == "catalogue":
        return
    for name, term in vocabulary().topic(topic).terms.items():
        if term.required and book.parameter(region, f"{topic}.{name}") is None:
            why = _demanded(term.required, region, topic, book)
            if why:
                yield f"{name} is missing: {why}"
    order = pack["parameters"].get("order") if topic == "payers" else None
    for starts, value in _raw_values(order) if order else ():
        for payer in value:
            if book.parameter(region, f"{payer}.payer") is None:
                yield f"order from {starts}: there is no pack {payer} for {region}"


def _demanded(required: str, region: str, topic: str, book: Rulebook) -> str:
    """Return why a parameter must be there, or nothing."""
    if required == "True":
        return f"every {topic} needs it"
    if required.startswith("unless "):
        others = required.removeprefix("unless ").split(" or ")
        there = any(book.parameter(region, f"{topic}.{other}") for other in others)
        return "" if there else f"it is needed {required}"
    if ": " in required:
        other, _, wanted = required.partition(": ")
        parameter = book.parameter(region, f"{topic}.{other}")
        values = {f.value for v in parameter.values for _, f in v.rows} if parameter else set()
        return f"{other} is {wanted}" if wanted in values else ""
    if book.parameter(region, f"{topic}.{required}") is not None or topic.startswith(required):
        return f"{required} needs it"
    return ""


def _times(pack: Any, lead_days: int) -> Iterator[str]:
    """No gap without a reason, and nothing new that nobody could prepare for."""
    reviewed = date.fromisoformat(pack["reviewed_on"])
    for name, parameter in pack["parameters"].items():
        values = parameter["values"]
        for before, after in pairwise(values):
            ends, starts = date.fromisoformat(before["until"]), date.fromisoformat(after["from"])
            gap = ends + timedelta(days=1) < starts
            if gap and "gap_after" not in before:
                yield f"{name}: nothing is in force between {ends} and {starts}; say why in gap_after"
            if not gap and "gap_after" in before:
                yield f"{name}: gap_after on the value from {before['from']}, but there is no gap"
        for value in values:
            starts = date.fromisoformat(value["from"])
            if reviewed < starts < reviewed + timedelta(days=lead_days):
                lead = (starts - reviewed).days
                yield f"{name}: reviewed {lead} days before it begins on {starts}, not {lead_days}"


def _authority(pack: Any) -> Iterator[str]:
    for name, parameter in pack["parameters"].items():
        for value in parameter["values"]:
            for row in [value, *value.get("table", ())]:
                if row.get("provisional") and not row.get("note", value.get("note")):
                    yield f"{name} from {value['from']}: provisional, and no note says why"


def _remarks(pack: Any, today: date) -> Iterator[str]:
    reviewed = date.fromisoformat(pack["reviewed_on"])
    if today - reviewed > timedelta(days=REVIEW_DAYS):
        yield f"reviewed on {reviewed}, more than a year ago"
    provisional = [
        name
        for name, parameter in pack["parameters"].items()
        for value in parameter["values"]
        if any(row.get("provisional") for row in [value, *value.get("table", ())])
    ]
    if provisional:
        yield f"provisional: {', '.join(dict.fromkeys(provisional))}"


def _bounds(pack: Any, book: Rulebook) -> Iterator[str]:
    """Stay within the national framework, on every day on which something changes."""
    region, topic = pack["region"], pack["topic"]
    if region == NATION:
        return
    said: set[str] = set()
    for day in _days(pack, book):
        for fault in _bounds_on(topic, region, day, book):
            what = fault.partition(f" on {day}: ")[2]
            if what not in said:  # say it for the first day only
                yield fault
            said.add(what)


def _bounds_on(topic: str, region: str, day: date, book: Rulebook) -> Iterator[str]:
    if topic == "cross_region":
        yield from _points(book, region, day)
    elif kind_of(topic) == "pool" and topic.startswith("inpatient"):
        yield from _away_rates(book, region, topic, day)
    elif topic == "critical_illness":
        yield from _critical_illness(book, region, day)
    elif topic == "medical_aid":
        yield from _aid(book, region, day)
    elif topic == "personal_account":
        yield from _credit(book, region, day)


def _days(pack: Any, book: Rulebook) -> list[date]:
    own = {date.fromisoformat(v["from"]) for p in pack["parameters"].values() for v in p["values"]}
    bounds = {day for p, day in book.dates() if (p.region, p.rule[:6]) == (NATION, "CN-BND")}
    first = min(own)
    return sorted(own | {day for day in bounds if day >= first})


def _bound(book: Rulebook, name: str, day: date, **case: str) -> Finding | None:
    return book.find_if_any(NATION, f"bounds.{name}", day, case)


def _points(book: Rulebook, region: str, day: date) -> Iterator[str]:
    for filing in FILINGS:
        bound = _bound(book, "away_points_max", day, filing=filing)
        case = {"filing": filing, "relation": "OUTSIDE", "care": "INPATIENT"}
        cut = book.find_if_any(region, "cross_region.points", day, case)
        if bound is not None and cut is not None and cut.rate > bound.rate:
            yield _beyond("points", day, cut.rate, bound, f"for {filing}")


def _away_rates(book: Rulebook, region: str, topic: str, day: date) -> Iterator[str]:
    """A table of rates away must not lie further below the local ones than points may."""
    parameter = book.parameter(region, f"{topic}.rate")
    if parameter is None or not {"relation", "filing"} & set(parameter.by):
        return
    others = [name for name in parameter.by if name not in ("relation", "filing", "place")]
    for place, filing in product(PLACES, FILINGS):
        bound = _bound(book, "away_points_max", day, filing=filing)
        for case in _cases(parameter, others):
            here = parameter.on_or_none(
                day, {**case, "place": place, "relation": "LOCAL", "filing": "NONE"}
            )
            away = parameter.on_or_none(
                day, {**case, "place": place, "relation": "OUTSIDE", "filing": filing}
            )
            if bound and here and away and here.rate - away.rate > bound.rate:
                yield _beyond("rate", day, here.rate - away.rate, bound, f"for {place}, {filing}")


def _cases(parameter: Parameter, names: list[str]) -> Iterator[dict[str, str]]:
    """Yield every combination of the values that the parameter's tables know of some dimensions."""
    known = {
        name: sorted(
            {
                v
                for d in parameter.values
                for when, _ in d.rows
                for n, vs in when
                if n == name
                for v in vs
            }
        )
        for name in names
    }
    for combination in product(*known.values()):
        yield dict(zip(known, combination, strict=True))


def _critical_illness(book: Rulebook, region: str, day: date) -> Iterator[str]:
    topic = "critical_illness"
    least = _bound(book, "critical_rate_least", day)
    bands = book.find_if_any(region, f"{topic}.bands", day)
    for band in bands.bands if bands and least else ():
        if least and band.rate < least.rate:
            yield _beyond("bands", day, band.rate, least, "at least")
    most = _bound(book, "critical_threshold_of_income_max", day)
    income = book.find_if_any(region, "local_facts.disposable_income", day)
    threshold = book.find_if_any(region, f"{topic}.threshold", day)
    if most and income and threshold and threshold.fen > share(income.fen, most.rate):
        allowed = yuan_text(Fen(share(income.fen, most.rate)))
        yield f"threshold on {day}: {yuan_text(threshold.fen)} is above {allowed} ({most.ref.rule})"
    for identity in TILTED:
        factor = book.find_if_any(region, f"{topic}.tilt_threshold", day, identity=identity)
        bound = _bound(book, "tilt_threshold_max", day)
        if factor and bound and factor.rate > bound.rate:
            yield _beyond("tilt_threshold", day, factor.rate, bound, f"for {identity}")
        points = book.find_if_any(region, f"{topic}.tilt_points", day, identity=identity)
        bound = _bound(book, "tilt_points_least", day)
        if points and bound and points.rate < bound.rate:
            yield _beyond("tilt_points", day, points.rate, bound, f"for {identity}, at least")


def _aid(book: Rulebook, region: str, day: date) -> Iterator[str]:
    known = book.find_if_any(region, "medical_aid.identities", day)
    for identity in known.items if known else ():
        bound = _bound(book, "aid_rate_least", day, identity=identity)
        rate = book.find_if_any(region, "medical_aid.rate", day, identity=identity)
        if bound and rate and rate.rate < bound.rate:
            yield _beyond("rate", day, rate.rate, bound, f"for {identity}, at least")


def _credit(book: Rulebook, region: str, day: date) -> Iterator[str]:
    bound = _bound(book, "account_credit_max", day)
    rate = book.find_if_any(region, "personal_account.credit_rate", day, person="ACTIVE")
    if bound and rate and rate.rate > bound.rate:
        yield _beyond("credit_rate", day, rate.rate, bound, "for active workers")


def _beyond(name: str, day: date, rate: Fraction, bound: Finding, why: str) -> str:
    return (
        f"{name} on {day}: {percent_text(rate)} is beyond the national bound of "
        f"{percent_text(bound.rate)} {why} ({bound.ref.rule})"
    )


def _raw_values(parameter: Any) -> Iterator[tuple[str, Any]]:
    for dated in parameter["values"]:
        for row in dated.get("table", [dated]):
            yield dated["from"], row["value"]
