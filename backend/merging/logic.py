"""Pure decisions about merging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from backend.merging.contracts import MergeProblem


@dataclass(frozen=True)
class Record:
    """What merging asks about one of the two records."""

    id_number: str
    birth_date: date
    sex: str
    died_on: date | None
    merged: bool
    frozen: bool
    open_bill: bool
    in_hospital: bool
    money_on_its_way: bool


@dataclass(frozen=True)
class Scheme:
    """An enrolment of a record: what insurance of which area, and whether it was ever used."""

    enrolment_id: str
    area_code: str
    insurance_type: str
    used: bool


@dataclass(frozen=True)
class Joining:
    """Two enrolments of one insurance: which goes on, and which was never used."""

    goes_on: str
    unused: str


def problem(kept: Record, dropped: Record) -> MergeProblem | None:
    """Return why two records cannot be merged, ``None`` where they can."""
    if kept.merged or dropped.merged:
        return MergeProblem.ALREADY_MERGED
    if dropped.id_number:
        two = bool(kept.id_number)
        return MergeProblem.TWO_ID_NUMBERS if two else MergeProblem.KEPT_WITHOUT_NUMBER
    if (kept.birth_date, kept.sex) != (dropped.birth_date, dropped.sex):
        return MergeProblem.BIRTH_OR_SEX_DIFFERS
    if kept.died_on != dropped.died_on:
        return MergeProblem.DEATH_DIFFERS
    if kept.frozen or dropped.frozen:
        return MergeProblem.FROZEN
    if kept.open_bill or dropped.open_bill:
        return MergeProblem.OPEN_BILL
    if kept.in_hospital and dropped.in_hospital:
        return MergeProblem.BOTH_IN_HOSPITAL
    return MergeProblem.MONEY_ON_ITS_WAY if dropped.money_on_its_way else None


def joinings(kept: Iterable[Scheme], dropped: Iterable[Scheme]) -> list[Joining] | MergeProblem:
    """Return which enrolments of the two are one insurance and become one.

    The one that was used goes on, so that what a year has used is counted on; of two unused ones that
    of the kept record does.
    """
    own = {(one.area_code, one.insurance_type): one for one in kept}
    found = []
    for other in dropped:
        mine = own.get((other.area_code, other.insurance_type))
        if mine is None:
            continue
        if mine.used and other.used:
            return MergeProblem.BOTH_ENROLMENTS_USED
        first, second = (other, mine) if other.used else (mine, other)
        found.append(Joining(first.enrolment_id, second.enrolment_id))
    return found


def days_left(
    starts: date, ends: date | None, taken: Sequence[tuple[date, date | None]]
) -> list[tuple[date, date | None]]:
    """Return the stretches of a period that other periods leave free, both ends included."""
    free: list[tuple[date, date | None]] = []
    day = starts
    for first, last in sorted(taken, key=lambda one: one[0]):
        if last is not None and last < day:
            continue
        if ends is not None and first > ends:
            break
        if first > day:
            free.append((day, first - timedelta(days=1)))
        if last is None:
            return free
        day = last + timedelta(days=1)
    if ends is None or day <= ends:
        free.append((day, ends))
    return free
