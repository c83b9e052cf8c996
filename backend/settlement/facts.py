"""Gathers the case of a bill: the facts of this person, place and day, as they stand now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from backend.infra.database import Unit
from backend.institutions.contracts import Ability, InstitutionView
from backend.kernel.money import ZERO, Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.people import queries as people
from backend.people.contracts import Circumstances, EnrolmentView
from backend.rulebook.library import rulebook
from backend.settlement import queries
from backend.settlement.case import (
    CapitatedCare,
    CareKind,
    Case,
    Chosen,
    FilingKind,
    HeldProduct,
    Insured,
    LineInput,
    PackageUse,
    Place,
    Route,
    Stay,
)
from backend.settlement.logic import asks_about_person
from backend.settlement.stays import year_of

_NOTHING_ASKED = Circumstances(age=0, identities=(), products=())


FamilySource = tuple[str, Fen | None]
"""An account that may pay after the own one, and the most that it pays of one bill, if there is one."""


@dataclass(frozen=True)
class Visit:
    """What a bill is for, as whoever presents it knows it.

    ``family`` names the accounts that may pay after the own one, in their order: what relatives have sent to
    the person's wallet, and the accounts of relatives who share; each with the most that it pays.
    """

    care: CareKind
    service_date: date
    route: Route = Route.DIRECT
    filing: FilingKind = FilingKind.NONE
    disease: str = ""
    stay: Stay | None = None
    package: PackageUse | None = None
    capitated: CapitatedCare | None = None
    chosen: Chosen | None = None
    benefits_paused: bool = False
    given: Mapping[str, Fen] = field(default_factory=dict)
    use_account: bool = True
    family: tuple[FamilySource, ...] = ()


def gather_case(
    unit: Unit,
    enrolment: EnrolmentView,
    institution: InstitutionView,
    visit: Visit,
    lines: Sequence[LineInput],
    lock: bool = False,
) -> Case:
    """Return the case. With ``lock`` the year's use and the accounts stay put until the commit.

    ``enrolment`` is as it stood on the day of service. Raises ``RuleMissing``.
    """
    return gather_at(unit, enrolment, place_of(institution), visit, lines, lock)


def gather_at(
    unit: Unit,
    enrolment: EnrolmentView,
    place: Place,
    visit: Visit,
    lines: Sequence[LineInput],
    lock: bool = False,
) -> Case:
    """Return the case at a place as the law sees it; a place without an area is of the insured one."""
    own = accounts.personal(enrolment.id)
    names = sorted(
        {own, *(name for name, _ in visit.family)}
    )  # two who share with each other lock in the same order
    free = {name: ledger.free(unit, name, lock=lock) or ZERO for name in names}
    stay = visit.stay
    year = year_of(enrolment.area_code, stay, rulebook()) if stay else visit.service_date.year
    known = _circumstances(unit, enrolment, visit)
    return Case(
        care=visit.care,
        service_date=visit.service_date,
        year=year,
        insured=Insured(
            area_code=enrolment.area_code,
            insurance_type=enrolment.insurance_type,
            person_kind=enrolment.person_kind,
            account_kind=enrolment.account_kind,
            status=enrolment.status,
            tier=enrolment.tier,
            age=known.age,
            civil_servant=enrolment.civil_servant,
            identities=known.identities,
            products=tuple(HeldProduct(code, continuous) for code, continuous in known.products),
            benefits_paused=visit.benefits_paused,
        ),
        place=place if place.area_code else replace(place, area_code=enrolment.area_code),
        lines=tuple(lines),
        used=queries.used(unit, enrolment.id, year, lock=lock),
        route=visit.route,
        filing=visit.filing,
        disease=visit.disease,
        stay=stay,
        package=visit.package,
        capitated=visit.capitated,
        chosen=visit.chosen,
        given=dict(visit.given),
        account_balance_fen=free[own],
        family_balance_fen=Fen(sum(at_most(free[name], most) for name, most in visit.family)),
        use_account=visit.use_account,
    )


def at_most(free: Fen, most: Fen | None) -> Fen:
    """Return what an account can pay: what is free of it, within its limit."""
    return free if most is None else Fen(min(free, most))


def place_of(institution: InstitutionView) -> Place:
    """Return the institution as the law sees it."""
    return Place(
        area_code=institution.area_code,
        kind=institution.kind,
        level=institution.level,
        pooling=Ability.OUTPATIENT_POOLING in institution.abilities,
        campus=Ability.CAMPUS in institution.abilities,
    )


def _circumstances(unit: Unit, enrolment: EnrolmentView, visit: Visit) -> Circumstances:
    """Return age, identities and supplements as of the days that the law names, if it asks at all."""
    region, scheme, book = enrolment.area_code, enrolment.insurance_type, rulebook()
    if not asks_about_person(region, scheme, visit.care, visit.service_date, book):
        return _NOTHING_ASKED
    age_day = day = visit.service_date
    if visit.stay is not None:
        days = {
            "ADMISSION": visit.stay.admitted_on,
            "DISCHARGE": visit.stay.discharged_on,
            "SETTLEMENT": visit.service_date,
        }
        age_day = days[book.find(region, "stays.age_on", visit.service_date).choice]
        day = days[book.find(region, "stays.identities_on", visit.service_date).choice]
    return people.circumstances(unit, enrolment.person_id, age_day, day)
