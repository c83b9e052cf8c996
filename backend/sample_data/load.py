"""Fills an empty database with the sample province.

Nobody in it can be taken for a real person: ID numbers have a valid check digit but begin with 99,
which is no province, mobile numbers begin with 120, which no network uses, and every name says that
it is a sample. Institutions are named as samples too and stand in real counties.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Engine, inspect, literal, select, table

from backend.access.contracts import Operator
from backend.catalogue.library import load_catalogue
from backend.choices.service import add_team
from backend.enrolment.contracts import ContributionInput
from backend.enrolment.service import report_contributions
from backend.entitlements.service import record_disease
from backend.filings.service import record_filing
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions.contracts import Ability, Agreement, InstitutionKind, InstitutionView
from backend.institutions.service import register_institutions, register_terminal
from backend.kernel.calendar import add_months, local_day
from backend.kernel.errors import OperatorError, Refusal
from backend.kernel.money import Fen, share
from backend.people import queries as people
from backend.people.contracts import (
    AccountKind,
    BenefitStatus,
    EnrolmentInput,
    EnrolmentPeriodInput,
    EnrolmentView,
    Identity,
    IdentityInput,
    InsuranceType,
    Particulars,
    PersonKind,
    RegisterPerson,
    SupplementInput,
)
from backend.people.service import register_person
from backend.policies import documents
from backend.policies.library import shipped_documents
from backend.regions.library import children, insured_area_of
from backend.rulebook.library import rulebook, shipped_packs
from backend.sample_data.people import PEOPLE, sample_id_number
from backend.sample_data.staff import load_staff
from backend.settlement.case import FilingKind
from backend.settlement.credits import credit_month, credit_reported, open_account

_PROVINCE = "510000"
CHENGDU, YIBIN, ZIGONG, BEIJING = "510100", "511500", "510300", "110100"
_RETIREE_CREDIT = Fen(86_400)
_BASE = Fen(800_000)
_SUBSIDY = Fen(70_000)
_HOME = "510104"
_HOSPITAL = {Ability.OUTPATIENT, Ability.OUTPATIENT_POOLING, Ability.MOBILE_PAYMENT}
_PHARMACY = {Ability.OUTPATIENT_POOLING, Ability.MOBILE_PAYMENT, Ability.EXTERNAL_PRESCRIPTION}

_MIDDLES = {
    "1101": (39_904_000, 116_407_000),
    "5101": (30_660_000, 104_063_000),
    "5103": (29_340_000, 104_770_000),
    "5104": (26_580_000, 101_710_000),
    "5105": (28_870_000, 105_440_000),
    "5106": (31_130_000, 104_390_000),
    "5107": (31_460_000, 104_740_000),
    "5108": (32_430_000, 105_840_000),
    "5109": (30_530_000, 105_590_000),
    "5110": (29_580_000, 105_050_000),
    "5111": (29_570_000, 103_760_000),
    "5113": (30_840_000, 106_080_000),
    "5114": (30_070_000, 103_840_000),
    "5115": (28_770_000, 104_620_000),
    "5116": (30_470_000, 106_630_000),
    "5117": (31_210_000, 107_500_000),
    "5118": (29_990_000, 103_000_000),
    "5119": (31_860_000, 106_750_000),
    "5120": (30_120_000, 104_640_000),
    "5132": (31_900_000, 102_220_000),
    "5133": (30_050_000, 101_960_000),
    "5134": (27_890_000, 102_260_000),
}
"""Roughly the middle of each city, in millionths of a degree; what is placed around it is made up."""
_SINCE = date(2023, 1, 1)
_MOVED_ON = date(2026, 1, 1)
_IDENTITIES = {
    "aided": (IdentityInput(Identity.MINIMUM_LIVING, _SINCE, None),),
    "extreme": (IdentityInput(Identity.EXTREME_POVERTY, _SINCE, None),),
}
_SUPPLEMENTS = {
    "aided": (SupplementInput("CD-HRB", _SINCE, date(2030, 12, 31), continuous=True),),
    "mutual": (
        SupplementInput("CD-BDHZ", _SINCE, date(2030, 12, 31), continuous=True),
        SupplementInput("CD-HRB", _SINCE, date(2030, 12, 31), continuous=False),
    ),
}


@dataclass(frozen=True)
class SampleTerminal:
    """A terminal of the sample province with the key that a real one would keep to itself."""

    number: str
    institution_code: str
    private_key: Ed25519PrivateKey


class DatabaseFilled(OperatorError):
    """The database holds institutions or people already."""


def expect_empty(engine: Engine) -> None:
    """Raise ``DatabaseFilled`` where a database holds institutions or people. It need not be migrated."""
    there = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        for name in sorted({"institution", "person"} & there):
            query = select(literal(1)).select_from(table(name)).limit(1)
            if connection.execute(query).first() is not None:
                raise DatabaseFilled(
                    f"the database {engine.url.render_as_string(hide_password=True)} is filled already; "
                    "the sample province goes into an empty one: name another in YIBAO_DATABASE_URL"
                )


def load_sample_data(unit: Unit) -> list[SampleTerminal]:
    """Fill an empty database and return the terminals with their keys."""
    audit.open_lanes(unit)
    load_staff(unit)
    load_catalogue(unit)
    places = list(_institutions(unit))
    register_institutions(unit, places)
    terminals = [_register(unit, place) for place in places]
    _load_teams(unit, places)
    load_documents(unit)
    with PEOPLE.open(encoding="utf-8", newline="") as file:
        for serial, row in enumerate(csv.DictReader(file), 1):
            _load_person(unit, row, serial)
    return terminals


def _load_teams(unit: Unit, places: list[InstitutionView]) -> None:
    """Give each community clinic a team of family doctors."""
    for place in places:
        if place.kind is InstitutionKind.HOSPITAL and place.level == 0:
            add_team(unit, place.id, "第一家庭医生团队（示例）", "医生样例", 2_000)


def load_documents(unit: Unit) -> int:
    """Publish the documents that are written from the rulebook, and return how many they are."""
    operator = Operator("sample")
    new = shipped_documents(shipped_packs(), rulebook(), local_day(unit.now))
    drafted = documents.draft(unit, operator, new)
    if isinstance(drafted, Refusal):
        raise ValueError(str(drafted))
    documents.publish(unit, operator, [one.code for one in new])
    return len(new)


def sample_key(number: str) -> Ed25519PrivateKey:
    """Return the key of a sample terminal: derived from its number, so anybody can play it."""
    seed = hashlib.sha256(f"yibao sample terminal {number}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def _register(unit: Unit, institution: InstitutionView) -> SampleTerminal:
    number = f"T{institution.code}01"
    key = sample_key(number)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    register_terminal(unit, number, institution.id, public)
    return SampleTerminal(number, institution.code, key)


def _institutions(unit: Unit) -> Iterator[InstitutionView]:
    """Yield a hospital and a pharmacy for each county, and larger ones for each city."""
    for city in children(_PROVINCE):
        counties = children(city.code)
        seat = counties[0].code
        yield _hospital(unit, seat, f"{city.name}示例第一人民医院", 3, 1)
        yield _hospital(unit, seat, f"{city.name}示例中医医院", 2, 2)
        for county in counties:
            name = f"{city.name}{county.name}"
            level = 2 if county.name.endswith("县") else 1
            yield _hospital(unit, county.code, f"{name}示例人民医院", level, 3)
            yield _hospital(unit, county.code, f"{name}示例社区卫生服务中心", 0, 4)
            yield _pharmacy(unit, county.code, f"{name}示例大药房", 1, _PHARMACY)
            yield _pharmacy(unit, county.code, f"{name}示例便民药店", 2, set())
    yield _hospital(unit, "110101", "北京市示例医院", 3, 1)
    wuhou = "510107"
    yield _hospital(unit, wuhou, "成都市示例大学校医院", 1, 5, {Ability.CAMPUS})
    suspended = _pharmacy(unit, wuhou, "成都市武侯区示例停业药店", 3, _PHARMACY)
    yield InstitutionView(**{**vars(suspended), "agreement": Agreement.SUSPENDED})


def _hospital(
    unit: Unit, county: str, name: str, level: int, serial: int, more: set[Ability] | None = None
) -> InstitutionView:
    abilities = _HOSPITAL | (more or set())
    if level >= 1:
        abilities = abilities | {Ability.INPATIENT, Ability.CHRONIC_DISEASE}
    return _institution(unit, InstitutionKind.HOSPITAL, county, name, level, serial, abilities)


def _pharmacy(
    unit: Unit, county: str, name: str, serial: int, abilities: set[Ability]
) -> InstitutionView:
    return _institution(unit, InstitutionKind.PHARMACY, county, name, None, serial, abilities)


def _institution(
    unit: Unit,
    kind: InstitutionKind,
    county: str,
    name: str,
    level: int | None,
    serial: int,
    abilities: set[Ability],
) -> InstitutionView:
    letter = "H" if kind is InstitutionKind.HOSPITAL else "P"
    where = whereabouts(county, serial, letter)
    return InstitutionView(
        id=unit.new_id(),
        code=f"{letter}{county}{serial:05d}",
        name=name,
        kind=kind,
        level=level,
        division_code=county,
        area_code=insured_area_of(county),
        address=f"{name}（示例地址）",
        abilities=tuple(sorted(abilities)),
        agreement=Agreement.OPEN,
        latitude=where[0],
        longitude=where[1],
        hours=opening_hours(kind, level, serial),
        on_duty="" if kind is InstitutionKind.HOSPITAL else "药师样例",
    )


def whereabouts(county: str, serial: int, letter: str) -> tuple[int, int]:
    """Return a made-up place near the middle of the city, in millionths of a degree."""
    seed = hashlib.sha256(f"{county}{letter}{serial}".encode()).digest()
    latitude, longitude = _MIDDLES.get(county[:4], _MIDDLES["5101"])
    spread = 250_000
    return (
        latitude + int.from_bytes(seed[:3], "big") % (2 * spread) - spread,
        longitude + int.from_bytes(seed[3:6], "big") % (2 * spread) - spread,
    )


def opening_hours(kind: InstitutionKind, level: int | None, serial: int) -> tuple[str, ...]:
    """Return made-up opening hours: large hospitals never shut, small places rest at times."""
    if kind is InstitutionKind.PHARMACY:
        return ("08:30-21:30",) * 7 if serial == 1 else (*("09:00-18:00",) * 6, "")
    if level is not None and level >= 2:
        return ("00:00-24:00",) * 7
    return (*("08:00-17:30",) * 5, "08:00-12:00", "")


def _load_person(unit: Unit, row: dict[str, str], serial: int) -> None:
    birth = date.fromisoformat(row["birth_date"])
    number = sample_id_number(birth, serial, row["sex"])
    person = register_person(
        unit,
        RegisterPerson(
            Particulars(row["name"], number, birth, row["sex"], row["phone"]),
            _enrolments(row["key"]),
            identities=_IDENTITIES.get(row["key"], ()),
            supplements=_SUPPLEMENTS.get(row["key"], ()),
        ),
    )
    if isinstance(person, Refusal):
        raise ValueError(f"sample person {row['key']}: {person}")
    for enrolment in people.enrolments_on(unit, person.id, local_day(unit.now)):
        _report_contributions(unit, enrolment)
        _record_facts(unit, row["key"], enrolment)
        if enrolment.account_kind is AccountKind.COMBINED:
            open_account(unit, enrolment.id)
            _fill_account(unit, row["key"], enrolment)


def _report_contributions(unit: Unit, enrolment: EnrolmentView) -> None:
    """Store what was paid: each month of the last year and this for employees, each year for others.

    The amounts are samples; what the law credits to accounts does not depend on them.
    """
    today = local_day(unit.now)
    runs = enrolment.status in (BenefitStatus.ACTIVE, BenefitStatus.WAITING)
    last = today if runs else enrolment.status_from - timedelta(days=1)
    first = enrolment.status_from if runs else date(last.year - 1, 1, 1)
    paid = []
    if enrolment.insurance_type is InsuranceType.EMPLOYEE:
        if enrolment.person_kind is PersonKind.RETIRED:
            return
        month = max(first, date(last.year - 1, 1, 1))
        while month <= last.replace(day=1):
            paid.append(_month_paid(enrolment, month))
            month = add_months(month, 1)
    else:
        for year in range(max(first.year, last.year - 1), last.year + 1):
            own = Fen(52_000 if enrolment.tier == "HIGH" else 40_000)
            days = (date(year, 1, 1), date(year, 12, 31))
            paid.append(ContributionInput(*days, Fen(0), own, _SUBSIDY, "", date(year - 1, 11, 1)))
    report_contributions(unit, "system", enrolment.id, paid)


def _month_paid(enrolment: EnrolmentView, month: date) -> ContributionInput:
    base = enrolment.contribution_base_fen
    return ContributionInput(
        month,
        add_months(month, 1) - timedelta(days=1),
        base,
        share(base, Fraction(2, 100)),
        share(base, Fraction(65, 1000)),
        "示例有限公司",
        month.replace(day=15),
    )


def _record_facts(unit: Unit, key: str, enrolment: EnrolmentView) -> None:
    """Store what the agency has decided about somebody."""
    if key == "chronic":
        for disease in ("HYPERTENSION", "RENAL_DIALYSIS"):
            record_disease(unit, "system", enrolment.id, disease, _SINCE, None)
    elif key == "away":
        kind = FilingKind.LONG_TERM_RESIDENT
        record_filing(unit, "system", enrolment.id, kind, BEIJING, _SINCE, None)


def _fill_account(unit: Unit, key: str, enrolment: EnrolmentView) -> None:
    if key == "poor_balance":
        credit_reported(unit, enrolment, Fen(1_250), "历年结余")
    elif enrolment.status is BenefitStatus.ENDED:
        credit_reported(unit, enrolment, Fen(123_456), "历年结余（示例金额）")
    elif enrolment.person_kind is PersonKind.RETIRED:
        credit_reported(unit, enrolment, _RETIREE_CREDIT, "退休人员个人账户划入（示例金额）")
    else:
        today = local_day(unit.now)
        for month in range(1, today.month + 1):
            credit_month(unit, enrolment, date(today.year, month, 1))


def _enrolments(key: str) -> tuple[EnrolmentInput, ...]:
    """Return what somebody is insured as; ``worker_3`` is one more of the kind ``worker``."""
    group = key.rstrip("0123456789").rstrip("_")
    adult, suspended = PersonKind.RESIDENT_ADULT, BenefitStatus.SUSPENDED
    if key == "several_2":
        return (_employee(PersonKind.ACTIVE), _resident(adult, status=BenefitStatus.ENDED))
    retired, active = _employee(PersonKind.RETIRED), _employee(PersonKind.ACTIVE)
    return {
        "worker": (active,),
        "poor_balance": (active,),
        "chronic": (active,),
        "away": (retired,),
        "mutual": (active,),
        "civil": (replace(active, civil_servant=True),),
        "retiree": (retired,),
        "elder_no_phone": (retired,),
        "province": (replace(retired, area_code="519900"),),
        "pool_only": (_employee(PersonKind.ACTIVE, account=AccountKind.POOL_ONLY),),
        "retiree_pool_only": (_employee(PersonKind.RETIRED, account=AccountKind.POOL_ONLY),),
        "suspended": (_employee(PersonKind.ACTIVE, status=suspended),),
        "several": (_employee(PersonKind.ACTIVE, status=suspended), _resident(adult)),
        "resident": (_resident(adult),),
        "elder": (_resident(adult),),
        "aided": (_resident(adult),),
        "extreme": (_resident(adult),),
        "low_tier": (_resident(adult, tier="LOW"),),
        "waiting": (_resident(adult, status=BenefitStatus.WAITING),),
        "yibin": (_resident(adult, area=YIBIN),),
        "zigong": (_resident(adult, area=ZIGONG),),
        "child": (_resident(PersonKind.STUDENT_OR_CHILD),),
        "student": (_resident(PersonKind.UNIVERSITY_STUDENT),),
        "moved": (
            replace(_employee(PersonKind.ACTIVE, BenefitStatus.ENDED), area_code=YIBIN),
            replace(active, periods=(replace(active.periods[0], starts=_MOVED_ON),)),
        ),
        "not_insured": (),
        "lapsed": (
            replace(
                _resident(adult, tier="LOW"),
                periods=(
                    EnrolmentPeriodInput(
                        date(2023, 1, 1), date(2023, 12, 31), BenefitStatus.ACTIVE, adult, "LOW"
                    ),
                ),
            ),
        ),
    }[group]


def _employee(
    kind: PersonKind,
    status: BenefitStatus = BenefitStatus.ACTIVE,
    account: AccountKind = AccountKind.COMBINED,
) -> EnrolmentInput:
    periods = _periods(kind, status)
    return EnrolmentInput(
        CHENGDU, InsuranceType.EMPLOYEE, account, _BASE, periods, division_code=_HOME
    )


def _resident(
    kind: PersonKind,
    status: BenefitStatus = BenefitStatus.ACTIVE,
    area: str = CHENGDU,
    tier: str = "HIGH",
) -> EnrolmentInput:
    tier = tier if kind is PersonKind.RESIDENT_ADULT else "STUDENT"
    periods = tuple(replace(period, tier=tier) for period in _periods(kind, status))
    home = _HOME if area == CHENGDU else ""
    return EnrolmentInput(
        area, InsuranceType.RESIDENT, AccountKind.NONE, Fen(0), periods, division_code=home
    )


def _periods(kind: PersonKind, status: BenefitStatus) -> tuple[EnrolmentPeriodInput, ...]:
    start = date(2023, 1, 1)
    if status in (BenefitStatus.ACTIVE, BenefitStatus.WAITING):
        return (EnrolmentPeriodInput(start, None, status, kind),)
    turn = date(2026, 1, 1)
    return (
        EnrolmentPeriodInput(start, date(2025, 12, 31), BenefitStatus.ACTIVE, kind),
        EnrolmentPeriodInput(turn, None, status, kind),
    )
