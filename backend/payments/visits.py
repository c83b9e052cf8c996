"""What a bill is for: ordinary care, a listed disease, or a stretch of a stay; and who is behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlmodel import col, select

from backend.access.contracts import TerminalActor
from backend.catalogue import queries as catalogue
from backend.choices import queries as choices
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid, Purpose
from backend.credit import queries as credit
from backend.entitlements import queries as entitlements
from backend.filings import queries as filings
from backend.identity import safety
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen
from backend.payments.contracts import Presettle
from backend.payments.model import Bill, HospitalStay
from backend.payments.stay_contracts import (
    NotEntitled,
    StayNotFound,
    StayNotOpen,
    StayState,
    StretchInvalid,
)
from backend.people import queries as people
from backend.people.contracts import EnrolmentView
from backend.people.logic import paying_enrolment
from backend.regions.library import province_code
from backend.rulebook.library import rulebook
from backend.settlement.case import (
    CareKind,
    Case,
    FilingKind,
    PackageUse,
    Place,
    ReferredFrom,
    Route,
    Stay,
)
from backend.settlement.facts import FamilySource, Visit


@dataclass(frozen=True)
class Presented:
    """Whose bill it is, by which scan, on which day, and of which stay."""

    person_id: str
    grant_id: str
    purpose: Purpose
    enrolment: EnrolmentView | None
    service_date: date
    stay: HospitalStay | None
    shown_by_id: str | None = None
    identity_only: bool = False


def presented(
    unit: Unit, command: Presettle, actor: TerminalActor
) -> Presented | GrantNotValid | StayNotFound | StayNotOpen | StretchInvalid:
    """Return whose bill a till presents: of the code it scanned, or of a stay in its hospital.

    Locks the person, and the grant or the stay. The enrolment is as it stood on the day of service; of
    a stay, on the day of admission.
    """
    today = local_day(unit.now)
    if command.stay_id is None:
        grant = codes.open_grant(unit, command.token, actor.terminal_id)
        if isinstance(grant, GrantNotValid):
            return grant
        enrolment = enrolment_on(unit, grant.person_id, command.enrolment_id, today)
        return Presented(
            grant.person_id,
            grant.id,
            grant.purpose,
            enrolment,
            today,
            None,
            grant.shown_by_id,
            grant.identity_only,
        )
    stay = locked_stay(unit, command.stay_id, actor.institution_id)
    if stay is None:
        return StayNotFound()
    if stay.state != StayState.ADMITTED:
        return StayNotOpen(stay.state, stay.stretches)
    last = command.until or today
    earliest = stay.settled_to or stay.admitted_on
    if not earliest <= last <= today or (stay.settled_to == last and not command.discharge):
        return StretchInvalid(earliest, today)
    enrolment = enrolment_on(unit, stay.person_id, stay.enrolment_id, stay.admitted_on)
    year_end = date(earliest.year, 12, 31)
    if enrolment is not None and last > year_end and _years_apart(enrolment.area_code, last):
        return StretchInvalid(earliest, year_end)
    purpose = Purpose.HOSPITAL_ADMISSION
    return Presented(stay.person_id, stay.grant_id, purpose, enrolment, last, stay)


def visit_of(
    unit: Unit,
    command: Presettle,
    whose: Presented,
    enrolment: EnrolmentView,
    institution: InstitutionView,
    family: tuple[FamilySource, ...],
) -> Visit | NotEntitled:
    """Return what a presented bill is for. A listed disease goes before ordinary care (trap 21).

    ``family``: the accounts that may pay beside the own one.
    """
    day = whose.service_date
    paused = credit.is_paused(unit, whose.person_id, enrolment.area_code, day, rulebook())
    package = PackageUse(command.package, command.package_days) if command.package else None
    if whose.stay is not None:
        _look_for_filing_again(unit, whose.stay, enrolment, institution)
        return Visit(
            CareKind.INPATIENT,
            day,
            chosen=choices.stands_to(
                unit, enrolment, institution.id, CareKind.INPATIENT, whose.stay.admitted_on
            ),
            filing=FilingKind(whose.stay.filing),
            disease=whose.stay.disease,
            stay=stretch(unit, whose.stay, day),
            package=package,
            benefits_paused=paused,
            use_account=command.use_account and not _frozen(unit, whose.person_id),
            family=family,
        )
    filing = filing_of(unit, enrolment, institution, command.emergency, day)
    use_account = command.use_account and not whose.identity_only
    if not command.disease:
        return Visit(
            CareKind.OUTPATIENT,
            day,
            chosen=choices.stands_to(unit, enrolment, institution.id, CareKind.OUTPATIENT, day),
            filing=filing,
            benefits_paused=paused,
            use_account=use_account,
            family=family,
        )
    if not entitlements.has_disease(unit, enrolment.id, command.disease, day):
        return NotEntitled(command.disease[:40])
    return Visit(
        CareKind.CHRONIC,
        day,
        chosen=choices.stands_to(unit, enrolment, institution.id, CareKind.CHRONIC, day),
        filing=filing,
        disease=command.disease,
        package=package,
        capitated=entitlements.capitated_care(
            unit, enrolment.id, command.disease, institution.id, filing, day
        ),
        benefits_paused=paused,
        use_account=use_account,
        family=family,
    )


def _look_for_filing_again(
    unit: Unit, stay: HospitalStay, enrolment: EnrolmentView, institution: InstitutionView
) -> None:
    """Let a filing made during a stay count for it (补办, 医保发〔2022〕22号 article 16).

    Only before anything of the stay is settled, and only one that begins on its admission or before.
    """
    if stay.filing == FilingKind.NONE and stay.stretches == 0:
        found = filing_of(unit, enrolment, institution, False, stay.admitted_on)
        stay.filing = found


def visit_again(
    unit: Unit,
    bill: Bill,
    priced: Case,
    stay: HospitalStay | None,
    family: tuple[FamilySource, ...],
    on: date | None = None,
) -> Visit:
    """Return what a priced bill is for, as it stands now that it is to be booked, or on a day."""
    area = priced.insured.area_code
    day = priced.service_date if stay is not None else on or local_day(unit.now)
    return Visit(
        priced.care,
        day,
        route=priced.route,
        filing=priced.filing,
        disease=priced.disease,
        stay=stretch(unit, stay, day) if stay is not None else None,
        package=priced.package,
        capitated=priced.capitated,
        chosen=priced.chosen,
        benefits_paused=credit.is_paused(unit, bill.person_id, area, day, rulebook()),
        given=priced.given,
        use_account=priced.use_account and not (stay and _frozen(unit, bill.person_id)),
        family=family,
    )


def stretch(unit: Unit, stay: HospitalStay, last: date) -> Stay:
    """Return the stretch of a stay that ends on a day."""
    origin = None
    if stay.referred_from_id is not None:
        earlier = unit.db.get_one(HospitalStay, stay.referred_from_id)
        origin = ReferredFrom(
            place=place_key_of(unit, earlier.institution_id),
            stays_before=earlier.stays_before,
            deductible_fen=Fen(earlier.deductible_due_fen or 0),
        )
    due = stay.deductible_due_fen
    return Stay(
        admitted_on=stay.admitted_on,
        discharged_on=last,
        deductible_due_fen=None if due is None else Fen(due),
        deductible_paid_fen=Fen(stay.deductible_paid_fen),
        counted=stay.stretches > 0,
        referred_from=origin,
    )


def place_key_of(unit: Unit, institution_id: str) -> str:
    """Return the name by which tables know an institution."""
    found = institutions.institution(unit, institution_id)
    return Place(found.area_code, found.kind, found.level, pooling=True, campus=False).key


def filing_of(
    unit: Unit, enrolment: EnrolmentView, place: InstitutionView, emergency: bool, day: date
) -> FilingKind:
    """Return what is on file for care at a place; an emergency counts as filed."""
    if place.area_code == enrolment.area_code:
        return FilingKind.EMERGENCY if emergency else FilingKind.NONE
    if emergency:
        return FilingKind.EMERGENCY
    found = filings.in_force(unit, enrolment.id, place.area_code, day)
    return FilingKind.NONE if found is None else found.kind


def enrolment_on(
    unit: Unit, person_id: str, enrolment_id: str | None, day: date
) -> EnrolmentView | None:
    """Return the enrolment that pays on a day, or the one that is asked for."""
    enrolments = people.enrolments_on(unit, person_id, day)
    if enrolment_id is None:
        return paying_enrolment(enrolments)
    return next((e for e in enrolments if e.id == enrolment_id), None)


def locked_stay(unit: Unit, stay_id: str, institution_id: str | None) -> HospitalStay | None:
    """Return a stay, its person and itself locked; ``None`` where it is another hospital's."""
    found = unit.db.get(HospitalStay, stay_id)
    if found is None or institution_id not in (None, found.institution_id):
        return None
    people.lock_person(unit, found.person_id)
    query = select(HospitalStay).where(col(HospitalStay.id) == stay_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def region_of_terms(insured_area: str, place_area: str, route: Route, day: date) -> str:
    """Return the province whose catalogue decides, as ``catalogue.terms_of`` says (NAT-14).

    Direct settlement takes the place of care's, a manual claim the insured area's. Raises
    ``RuleMissing``.
    """
    rule = rulebook().find(insured_area, "catalogue.terms_of", day, route=route.value)
    area = place_area if rule.choice == "PLACE_OF_CARE" else insured_area
    return f"{province_code(area)}0000"


def with_national_codes(
    unit: Unit, command: Presettle, institution_id: str, day: date
) -> Presettle:
    """Return the basket with national codes in place of the institution's own, where matched."""
    local = [line.local_code for line in command.lines if not line.code and line.local_code]
    if not local:
        return command
    known = catalogue.national_codes(unit, institution_id, local, day)
    lines = tuple(
        line if line.code else replace(line, code=known.get(line.local_code, line.local_code))
        for line in command.lines
    )
    return replace(command, lines=lines)


def _frozen(unit: Unit, person_id: str) -> bool:
    """Tell whether an account takes no part: a stay is settled by the funds all the same."""
    return safety.frozen_refusal(unit, person_id) is not None


def _years_apart(region: str, day: date) -> bool:
    return rulebook().find(region, "stays.year_of", day).choice == "FEE_DATE"
