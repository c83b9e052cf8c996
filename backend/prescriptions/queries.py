"""Reads of prescriptions and of what pharmacies offer."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter
from sqlmodel import col, func, or_, select

from backend.catalogue import queries as catalogue
from backend.infra.database import Unit
from backend.infra.journal import read_content
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen, UnitPrice, line_amount
from backend.people import queries as people
from backend.prescriptions.contracts import (
    LineView,
    PharmacyOffer,
    PrescribedLine,
    PrescriptionEvent,
    PrescriptionState,
    PrescriptionStep,
    PrescriptionView,
    SignPrescription,
)
from backend.prescriptions.model import PharmacyOfferRow, Prescription, PrescriptionStepRow

_BODY = TypeAdapter(tuple[str, str, tuple[PrescribedLine, ...]])
_OPEN = (
    PrescriptionState.VALID,
    PrescriptionState.LOCKED,
    PrescriptionState.AUDITED,
    PrescriptionState.SETTLED,
)


def body_of(said: SignPrescription) -> str:
    """Return what is sealed of a prescription: doctor, diagnosis and drugs."""
    return _BODY.dump_json((said.doctor.strip(), said.diagnosis.strip(), said.lines)).decode()


def prescribed(unit: Unit, row: Prescription) -> tuple[PrescribedLine, ...]:
    """Return the drugs of a prescription."""
    return _body(unit, row)[2]


def prescription(unit: Unit, prescription_id: str) -> PrescriptionView | None:
    """Return a prescription, or ``None``."""
    row = unit.db.get(Prescription, prescription_id)
    return None if row is None else views(unit, [row])[0]


def owner_of(unit: Unit, prescription_id: str) -> str | None:
    """Return whose prescription it is, ``None`` where there is no such one."""
    return unit.db.exec(
        select(Prescription.person_id).where(Prescription.id == prescription_id)
    ).first()


def of_person(unit: Unit, person_id: str, after: str | None, limit: int) -> list[PrescriptionView]:
    """Return a person's prescriptions, the newest first, below an id."""
    query = select(Prescription).where(Prescription.person_id == person_id)
    if after is not None:
        query = query.where(col(Prescription.id) < after)
    rows = unit.db.exec(query.order_by(col(Prescription.id).desc()).limit(limit)).all()
    return views(unit, rows)


def for_pharmacy(
    unit: Unit, institution_id: str, scanned_id: str, limit: int
) -> list[PrescriptionView]:
    """Return what a pharmacy may fill: chosen for it, locked by it, or of whom it has scanned."""
    mine = or_(
        (col(Prescription.chosen_id) == institution_id)
        & (col(Prescription.state) == PrescriptionState.VALID),
        col(Prescription.pharmacy_id) == institution_id,
    )
    if scanned_id:
        mine = or_(
            mine,
            (col(Prescription.person_id) == scanned_id)
            & (col(Prescription.state) == PrescriptionState.VALID),
        )
    rows = unit.db.exec(
        select(Prescription)
        .where(mine, col(Prescription.state).in_(_OPEN))
        .where(
            or_(
                col(Prescription.valid_until) > unit.now, col(Prescription.pharmacy_id).is_not(None)
            )
        )
        .order_by(col(Prescription.valid_until), col(Prescription.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def of_hospital(unit: Unit, institution_id: str, limit: int) -> list[PrescriptionView]:
    """Return what a hospital has prescribed, the newest first."""
    rows = unit.db.exec(
        select(Prescription)
        .where(Prescription.hospital_id == institution_id)
        .order_by(col(Prescription.id).desc())
        .limit(limit)
    ).all()
    return views(unit, rows)


def offers(unit: Unit, prescription_id: str, limit: int) -> list[PharmacyOffer]:
    """Return pharmacies that have everything of a prescription, the cheapest first."""
    row = unit.db.get(Prescription, prescription_id)
    if row is None:
        return []
    lines = prescribed(unit, row)
    wanted = {line.code: line.quantity for line in lines}
    held = unit.db.exec(
        select(PharmacyOfferRow).where(
            col(PharmacyOfferRow.code).in_(wanted), col(PharmacyOfferRow.in_stock).is_(True)
        )
    ).all()
    by_place: dict[str, list[PharmacyOfferRow]] = {}
    for one in held:
        by_place.setdefault(one.institution_id, []).append(one)
    complete = {place: rows for place, rows in by_place.items() if len(rows) == len(wanted)}
    places = institutions.institutions(unit, list(complete))
    found = [
        PharmacyOffer(
            places[place],
            Fen(sum(line_amount(UnitPrice(x.unit_price), wanted[x.code]) for x in rows)),
            min(x.updated_at for x in rows),
        )
        for place, rows in complete.items()
    ]
    return sorted(found, key=lambda one: (one.total_fen, one.pharmacy.code))[:limit]


def offer_count(unit: Unit, institution_id: str) -> int:
    """Return how many drugs a pharmacy offers."""
    query = select(func.count()).where(PharmacyOfferRow.institution_id == institution_id)
    return int(unit.db.exec(query).one())


def views(unit: Unit, rows: Sequence[Prescription]) -> list[PrescriptionView]:
    """Return the views of prescriptions, as many reads for one as for all."""
    bodies = {row.id: _body(unit, row) for row in rows}
    codes = {line.code for _, _, lines in bodies.values() for line in lines}
    names = {
        code: item.name
        for code, item in catalogue.items_on(unit, sorted(codes), local_day(unit.now)).items()
    }
    ids = {one for row in rows for one in (row.hospital_id, row.pharmacy_id, row.chosen_id) if one}
    places = institutions.institutions(unit, sorted(ids))
    steps = _steps(unit, [row.id for row in rows])
    held = people.prefetch(unit, [row.person_id for row in rows])
    found = [_view(unit, row, bodies[row.id], names, places, steps) for row in rows]
    del held
    return found


def _view(
    unit: Unit,
    row: Prescription,
    body: tuple[str, str, tuple[PrescribedLine, ...]],
    names: dict[str, str],
    places: dict[str, InstitutionView],
    steps: dict[str, list[PrescriptionStep]],
) -> PrescriptionView:
    doctor, diagnosis, lines = body
    context = f"prescription:{row.id}"
    return PrescriptionView(
        id=row.id,
        number=row.number,
        state=PrescriptionState(row.state),
        person=people.person(unit, row.person_id),
        hospital=places[row.hospital_id],
        doctor=doctor,
        diagnosis=diagnosis,
        disease=row.disease,
        lines=tuple(
            LineView(one.code, names.get(one.code, one.code), one.quantity, one.usage)
            for one in lines
        ),
        fills=row.fills,
        fills_done=row.fills_done,
        fill_days=row.fill_days,
        signed_at=row.signed_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        pharmacy=places[row.pharmacy_id] if row.pharmacy_id else None,
        chosen=places[row.chosen_id] if row.chosen_id else None,
        locked_until=row.locked_until,
        deliver=row.deliver,
        address=unit.vault.open(row.address, context) if row.address else "",
        courier=row.courier,
        charge_id=row.charge_id,
        steps=tuple(steps.get(row.id, ())),
    )


def _body(unit: Unit, row: Prescription) -> tuple[str, str, tuple[PrescribedLine, ...]]:
    return read_content(_BODY, unit.vault.open(row.body, f"prescription:{row.id}"))


def _steps(unit: Unit, ids: Sequence[str]) -> dict[str, list[PrescriptionStep]]:
    found: dict[str, list[PrescriptionStep]] = {}
    for row in unit.db.exec(
        select(PrescriptionStepRow)
        .where(col(PrescriptionStepRow.prescription_id).in_(ids))
        .order_by(col(PrescriptionStepRow.id))
    ).all():
        words = unit.vault.open(row.words, f"prescription:{row.prescription_id}")
        step = PrescriptionStep(
            row.at, PrescriptionEvent(row.event), PrescriptionState(row.state), words
        )
        found.setdefault(row.prescription_id, []).append(step)
    return found
