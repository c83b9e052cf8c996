"""Reads of insured persons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, false, func, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.access.logic import is_province, prefix_of
from backend.infra.database import Unit
from backend.infra.journal import read_content
from backend.kernel.calendar import age_on, local_day
from backend.kernel.masking import mask_id_number, mask_name, mask_phone
from backend.kernel.money import Fen
from backend.people.contracts import (
    AccountKind,
    BenefitStatus,
    Circumstances,
    EnrolmentView,
    InsuranceType,
    NoticeBy,
    Particulars,
    PeriodView,
    PersonKind,
    PersonView,
    Preferences,
)
from backend.people.document_contracts import (
    DocumentKind,
    DocumentView,
    DuplicateReason,
    DuplicateState,
    DuplicateView,
    MainDocument,
)
from backend.people.logic import kind_of_id_number, tidy_number
from backend.people.model import (
    AidIdentity,
    DuplicateCase,
    Enrolment,
    EnrolmentPeriod,
    Person,
    PersonDocument,
    PersonPreference,
    Supplement,
)
from backend.regions.library import in_county

PARTICULARS = TypeAdapter(Particulars)


def particulars(unit: Unit, person_id: str) -> Particulars:
    """Return who a person is, in the clear. For use cases, never for a screen."""
    row = unit.db.get_one(Person, person_id)
    return read_content(PARTICULARS, unit.vault.open(row.particulars, f"person:{row.id}"))


def person(unit: Unit, person_id: str) -> PersonView:
    """Return the masked view of a person that must exist."""
    known = particulars(unit, person_id)
    return PersonView(
        id=person_id,
        masked_name=mask_name(known.name),
        masked_id_number=mask_id_number(known.id_number),
        masked_phone=mask_phone(known.phone),
        age=age_on(known.birth_date, local_day(unit.now)),
    )


def prefetch(unit: Unit, person_ids: Iterable[str]) -> list[object]:
    """Read some people at once. While the answer is held, reading each of them asks nothing more."""
    wanted = col(Person.id).in_(set(person_ids))
    return list(unit.db.exec(select(Person).where(wanted)).all())


def person_by_phone(unit: Unit, phone: str) -> str | None:
    """Return the id of the person who signs in with a phone number."""
    index = unit.vault.index(phone, "phone")
    return unit.db.exec(select(Person.id).where(Person.phone_index == index)).first()


def person_by_id_number(unit: Unit, id_number: str) -> str | None:
    """Return the id of the person with an ID number."""
    index = unit.vault.index(id_number.upper(), "id_number")
    return unit.db.exec(select(Person.id).where(Person.id_number_index == index)).first()


def person_by_document(unit: Unit, kind: DocumentKind, number: str) -> str | None:
    """Return the one person who has a document, ``None`` where nobody or more than one has."""
    if kind.is_master_index:
        return person_by_id_number(unit, number)
    found = _holders(unit, number, kind)
    return found[0] if len(found) == 1 else None


def named(unit: Unit, name: str, number: str) -> str | None:
    """Return the living person of this name and document, as others know them; else ``None``.

    The number is the ID number, or of a birth certificate, a permit or a passport.
    """
    by_number = person_by_id_number(unit, number.strip())
    found = _holders(unit, number) if by_number is None else [by_number]
    fitting = [
        person_id
        for person_id in found
        if particulars(unit, person_id).name == name.strip() and died_on(unit, person_id) is None
    ]
    return fitting[0] if len(fitting) == 1 else None


def documents(unit: Unit, person_id: str) -> list[DocumentView]:
    """Return a person's documents, that of the ID number first."""
    known = particulars(unit, person_id)
    rows = unit.db.exec(
        select(PersonDocument)
        .where(PersonDocument.person_id == person_id)
        .order_by(col(PersonDocument.id))
    ).all()
    views = [
        DocumentView(
            id=row.id,
            kind=DocumentKind(row.kind),
            number=mask_id_number(number_of(unit, row)),
            country=row.country,
            valid_until=row.valid_until,
        )
        for row in rows
    ]
    if not known.id_number:
        return views
    kind = kind_of_id_number(known.id_number)
    return [DocumentView(person_id, kind, mask_id_number(known.id_number), "", None), *views]


def main_document(unit: Unit, person_id: str) -> MainDocument:
    """Return the document a person is known by: the ID number, or the first document recorded."""
    known = particulars(unit, person_id)
    if known.id_number:
        return MainDocument(kind_of_id_number(known.id_number), known.id_number)
    row = unit.db.exec(
        select(PersonDocument)
        .where(PersonDocument.person_id == person_id)
        .order_by(col(PersonDocument.id))
        .limit(1)
    ).one()
    return MainDocument(DocumentKind(row.kind), number_of(unit, row))


def number_of(unit: Unit, row: PersonDocument) -> str:
    """Return the number of a document, in the clear."""
    return unit.vault.open(row.number, f"document:{row.id}")


def records_of(person_id: str) -> SelectOfScalar[str]:
    """Return, as a subquery, the ids of all records that are one person's: history names them all."""
    either = or_(col(Person.id) == person_id, col(Person.merged_into) == person_id)
    return select(Person.id).where(either)


def ids_of(unit: Unit, person_id: str) -> set[str]:
    """Return the ids of all records that are one person's."""
    return set(unit.db.exec(records_of(person_id)).all())


def exists(unit: Unit, person_id: str) -> bool:
    """Tell whether there is such a person, whose record goes on."""
    row = unit.db.get(Person, person_id)
    return row is not None and row.merged_into is None


def desks_of(unit: Unit, person_id: str) -> tuple[str, ...]:
    """Return whose agencies work on somebody's affairs: areas and their counties, of now or before."""
    rows = unit.db.exec(select(Enrolment).where(Enrolment.person_id == person_id)).all()
    return tuple(sorted({place for row in rows for place in _desks(row)}))


def desks_of_enrolment(unit: Unit, enrolment_id: str) -> tuple[str, ...]:
    """Return whose agencies work on an enrolment that must exist: its area, and a county within it."""
    return _desks(unit.db.get_one(Enrolment, enrolment_id))


def insured_within(regions: Sequence[str]) -> SelectOfScalar[str]:
    """Return, as a subquery, the ids of people who are or were insured within some regions.

    Who is insured nowhere is the province's: a region that is a whole province has them too.
    """
    insured = select(Enrolment.person_id).where(Enrolment.person_id == Person.id)
    mine = insured.where(_within(regions)).exists()
    found: list[ColumnElement[bool]] = [mine] if regions else []
    if any(is_province(region) for region in regions):
        found.append(~insured.exists())
    return select(Person.id).where(or_(*found) if found else false())


def enrolments_within(regions: Sequence[str]) -> SelectOfScalar[str]:
    """Return, as a subquery, the ids of enrolments of some regions."""
    return select(Enrolment.id).where(_within(regions))


def goes_on_as(person_id: Mapped[str]) -> ColumnElement[str]:
    """Return, as an expression, the record that goes on for a person that history names."""
    goes_on = func.coalesce(col(Person.merged_into), col(Person.id))
    return select(goes_on).where(col(Person.id) == person_id).scalar_subquery()


def duplicates(
    unit: Unit,
    states: Sequence[DuplicateState],
    limit: int,
    regions: Sequence[str] | None = None,
) -> list[DuplicateView]:
    """Return pairs of records that may be one person's, the oldest first, of some regions or of all."""
    query = select(DuplicateCase).where(col(DuplicateCase.state).in_(states))
    if regions is not None:
        mine = insured_within(regions)
        either = col(DuplicateCase.first_id).in_(mine) | col(DuplicateCase.second_id).in_(mine)
        query = query.where(either)
    rows = unit.db.exec(query.order_by(col(DuplicateCase.id)).limit(limit)).all()
    held = prefetch(unit, [one for row in rows for one in (row.first_id, row.second_id)])
    views = [duplicate_view(unit, row) for row in rows]
    del held
    return views


def people_of_duplicate(unit: Unit, case_id: str) -> tuple[str, str] | None:
    """Return the two records of a case, to decide whose it is."""
    row = unit.db.get(DuplicateCase, case_id)
    return None if row is None else (row.first_id, row.second_id)


def duplicate_view(unit: Unit, row: DuplicateCase) -> DuplicateView:
    """Return the view of a row."""
    first, second = (person(unit, one) for one in (row.first_id, row.second_id))
    return DuplicateView(
        id=row.id,
        state=DuplicateState(row.state),
        reason=DuplicateReason(row.reason),
        found_at=row.found_at,
        person_ids=(row.first_id, row.second_id),
        names=(first.masked_name, second.masked_name),
        numbers=(first.masked_id_number, second.masked_id_number),
        kept_id=row.kept_id,
        proposed_by=row.proposed_by,
        decided_by=row.decided_by,
        words=row.words,
    )


def enrolments_on(unit: Unit, person_id: str, day: date) -> list[EnrolmentView]:
    """Return a person's enrolments with their status on a day; those not begun are left out."""
    rows = unit.db.exec(
        select(Enrolment, EnrolmentPeriod)
        .where(Enrolment.person_id == person_id)
        .where(EnrolmentPeriod.enrolment_id == Enrolment.id)
        .where(EnrolmentPeriod.starts <= day)
        .where(or_(col(EnrolmentPeriod.ends).is_(None), col(EnrolmentPeriod.ends) >= day))
        .order_by(col(Enrolment.id))
    ).all()
    return [_view(enrolment, period) for enrolment, period in rows]


def enrolments_held(unit: Unit, person_id: str, day: date) -> list[EnrolmentView]:
    """Return a person's enrolments on a day; those that ran out before are shown as ended since then."""
    held = {one.id: one for one in enrolments_on(unit, person_id, day)}
    rows = unit.db.exec(
        select(Enrolment, EnrolmentPeriod)
        .where(Enrolment.person_id == person_id, EnrolmentPeriod.enrolment_id == Enrolment.id)
        .where(col(EnrolmentPeriod.ends) < day)
        .order_by(col(EnrolmentPeriod.starts))
    ).all()
    over: dict[str, EnrolmentView] = {}
    for enrolment, period in rows:
        since = (period.ends or day) + timedelta(days=1)
        over[enrolment.id] = replace(
            _view(enrolment, period),
            status=BenefitStatus.ENDED,
            status_from=since,
            status_until=None,
        )
    return sorted({**over, **held}.values(), key=lambda one: one.id)


def periods_of(unit: Unit, person_id: str) -> dict[str, list[PeriodView]]:
    """Return from when to when each enrolment of somebody had which status, the earliest first."""
    rows = unit.db.exec(
        select(EnrolmentPeriod)
        .where(Enrolment.person_id == person_id, EnrolmentPeriod.enrolment_id == Enrolment.id)
        .order_by(col(EnrolmentPeriod.enrolment_id), col(EnrolmentPeriod.starts))
    ).all()
    found: dict[str, list[PeriodView]] = {}
    for row in rows:
        period = PeriodView(row.starts, row.ends, BenefitStatus(row.status), row.tier)
        found.setdefault(row.enrolment_id, []).append(period)
    return found


def last_period(unit: Unit, enrolment_id: str) -> tuple[PersonKind, str] | None:
    """Return as what kind of person and in which tier somebody was insured last."""
    row = unit.db.exec(
        select(EnrolmentPeriod)
        .where(EnrolmentPeriod.enrolment_id == enrolment_id)
        .order_by(col(EnrolmentPeriod.starts).desc())
    ).first()
    return None if row is None else (PersonKind(row.person_kind), row.tier)


def insured_on(unit: Unit, person_ids: Sequence[str], day: date) -> set[str]:
    """Return who of some people is insured on a day: some enrolment runs and has not ended."""
    rows = unit.db.exec(
        select(Enrolment.person_id)
        .where(col(Enrolment.person_id).in_(set(person_ids)))
        .where(EnrolmentPeriod.enrolment_id == Enrolment.id)
        .where(EnrolmentPeriod.status != BenefitStatus.ENDED, EnrolmentPeriod.starts <= day)
        .where(or_(col(EnrolmentPeriod.ends).is_(None), col(EnrolmentPeriod.ends) >= day))
        .distinct()
    ).all()
    return set(rows)


def circumstances(unit: Unit, person_id: str, age_day: date, day: date) -> Circumstances:
    """Return a person's age on one day, and identities and supplements on another."""
    identities = unit.db.exec(
        select(AidIdentity.identity)
        .where(AidIdentity.person_id == person_id, AidIdentity.starts <= day)
        .where(or_(col(AidIdentity.ends).is_(None), col(AidIdentity.ends) >= day))
        .order_by(col(AidIdentity.identity))
        .distinct()
    ).all()
    products = unit.db.exec(
        select(Supplement.product, Supplement.continuous)
        .where(Supplement.person_id == person_id)
        .where(Supplement.starts <= day, Supplement.ends >= day)
        .order_by(col(Supplement.product))
    ).all()
    return Circumstances(
        age=age_on(particulars(unit, person_id).birth_date, age_day),
        identities=tuple(identities),
        products=tuple((product, continuous) for product, continuous in products),
    )


def preferences(unit: Unit, person_id: str) -> Preferences:
    """Return what a person has chosen; nobody is in elder mode who has not said so."""
    row = unit.db.get(PersonPreference, person_id)
    age = age_on(particulars(unit, person_id).birth_date, local_day(unit.now))
    return Preferences(
        person_id=person_id,
        elder_mode=row is not None and row.elder_mode,
        elder_mode_offered=age >= unit.settings.elder_mode_offered_from_age,
        notice_by=NoticeBy.MESSAGE if row is None else NoticeBy(row.notice_by),
    )


def died_on(unit: Unit, person_id: str) -> date | None:
    """Return the day of a person's death, ``None`` for the living."""
    return unit.db.get_one(Person, person_id).died_on


def died_before(person_id: Mapped[str], day: Mapped[date]) -> ColumnElement[bool]:
    """Return the condition that whoever a row names had died before the row's day."""
    return select(Person.id).where(col(Person.id) == person_id, col(Person.died_on) < day).exists()


def area_of_enrolment(unit: Unit, enrolment_id: str) -> str:
    """Return the insured area of an enrolment that must exist."""
    return unit.db.get_one(Enrolment, enrolment_id).area_code


def areas_of_enrolments(unit: Unit, enrolment_ids: Sequence[str]) -> dict[str, str]:
    """Return the insured areas of enrolments, by id."""
    query = select(Enrolment.id, Enrolment.area_code).where(col(Enrolment.id).in_(enrolment_ids))
    return dict(unit.db.exec(query).all()) if enrolment_ids else {}


def people_of_enrolments(enrolments: SelectOfScalar[str]) -> SelectOfScalar[str]:
    """Return, as a query, whose some enrolments are."""
    return select(Enrolment.person_id).where(col(Enrolment.id).in_(enrolments))


def person_of_enrolment(unit: Unit, enrolment_id: str) -> str:
    """Return whose an enrolment is that must exist."""
    return unit.db.get_one(Enrolment, enrolment_id).person_id


def enrolment_ids(unit: Unit, person_id: str) -> list[str]:
    """Return the ids of all enrolments of a person."""
    query = select(Enrolment.id).where(Enrolment.person_id == person_id)
    return list(unit.db.exec(query.order_by(col(Enrolment.id))).all())


def enrolments_in(unit: Unit, person_id: str, area_code: str) -> list[str]:
    """Return the ids of a person's enrolments in an insured area, employees' before residents'."""
    query = select(Enrolment.id).where(
        Enrolment.person_id == person_id, Enrolment.area_code == area_code
    )
    return list(
        unit.db.exec(query.order_by(col(Enrolment.insurance_type), col(Enrolment.id))).all()
    )


def is_enrolment(unit: Unit, enrolment_id: str) -> bool:
    """Tell whether there is such an enrolment."""
    return unit.db.get(Enrolment, enrolment_id) is not None


def of_scheme(
    unit: Unit, enrolment_ids: Sequence[str], area_code: str, insurance_type: InsuranceType
) -> set[str]:
    """Return which of some enrolments are of an insured area and insurance type."""
    query = select(Enrolment.id).where(
        col(Enrolment.id).in_(set(enrolment_ids)),
        Enrolment.area_code == area_code,
        Enrolment.insurance_type == insurance_type,
    )
    return set(unit.db.exec(query).all())


def scheme_of(unit: Unit, enrolment_id: str) -> tuple[str, InsuranceType]:
    """Return insured area and insurance type of an enrolment that must exist."""
    row = unit.db.get_one(Enrolment, enrolment_id)
    return row.area_code, InsuranceType(row.insurance_type)


def lock_person(unit: Unit, person_id: str) -> None:
    """Make every other use case that moves this person's money wait until this one ends."""
    unit.db.exec(select(Person.id).where(Person.id == person_id).with_for_update()).one()


def _holders(unit: Unit, number: str, kind: DocumentKind | None = None) -> list[str]:
    """Return who has a document of this number beside their ID number."""
    tidy = tidy_number(number)
    indexes = [
        unit.vault.index(f"{one}:{tidy}", "document")
        for one in (DocumentKind if kind is None else (kind,))
    ]
    query = (
        select(PersonDocument.person_id)
        .join(Person, col(Person.id) == col(PersonDocument.person_id))
        .where(col(PersonDocument.number_index).in_(indexes), col(Person.merged_into).is_(None))
    )
    return list(unit.db.exec(query.distinct().order_by(col(PersonDocument.person_id))).all())


def _desks(row: Enrolment) -> tuple[str, ...]:
    county = row.division_code or ""
    return (row.area_code, county) if in_county(row.area_code, county) else (row.area_code,)


def _within(regions: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition for an enrolment to be of some regions, counties of its own area counted."""
    area, county = col(Enrolment.area_code), col(Enrolment.division_code)
    same = func.substr(county, 1, 4) == func.substr(area, 1, 4)
    return or_(
        *(area.startswith(prefix_of(region)) for region in regions),
        *(and_(county.startswith(prefix_of(region)), same) for region in regions),
        false(),
    )


def _view(enrolment: Enrolment, period: EnrolmentPeriod) -> EnrolmentView:
    return EnrolmentView(
        id=enrolment.id,
        person_id=enrolment.person_id,
        person_number=enrolment.person_number,
        area_code=enrolment.area_code,
        insurance_type=InsuranceType(enrolment.insurance_type),
        person_kind=PersonKind(period.person_kind),
        account_kind=AccountKind(enrolment.account_kind),
        status=BenefitStatus(period.status),
        status_from=period.starts,
        status_until=period.ends,
        contribution_base_fen=Fen(enrolment.contribution_base_fen),
        tier=period.tier,
        civil_servant=enrolment.civil_servant,
        division_code=enrolment.division_code or enrolment.area_code,
    )
