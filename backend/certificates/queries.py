"""Reads of certificates."""

from __future__ import annotations

from pydantic import TypeAdapter
from sqlmodel import col, select

from backend.certificates.contracts import (
    CertificateFacts,
    CertificateKind,
    CertificateState,
    CertificateView,
    Verified,
)
from backend.certificates.model import Certificate
from backend.infra.database import Unit
from backend.infra.journal import read_content
from backend.kernel.calendar import local_day
from backend.kernel.masking import mask_id_number, mask_name
from backend.kernel.money import Fen

FACTS = TypeAdapter(CertificateFacts)


def of_person(unit: Unit, person_id: str, limit: int) -> list[CertificateView]:
    """Return a person's certificates, the newest first."""
    rows = unit.db.exec(
        select(Certificate)
        .where(Certificate.person_id == person_id)
        .order_by(col(Certificate.id).desc())
        .limit(limit)
    ).all()
    return [view(unit, row) for row in rows]


def by_digest(unit: Unit, digest: str) -> Verified | None:
    """Return the certificate whose signed file has this digest."""
    row = unit.db.exec(select(Certificate).where(Certificate.digest == digest)).first()
    return None if row is None else verified(unit, row)


def facts(unit: Unit, row: Certificate) -> CertificateFacts:
    """Return what a certificate states."""
    return read_content(FACTS, unit.vault.open(row.facts, f"certificate:{row.id}"))


def view(unit: Unit, row: Certificate) -> CertificateView:
    """Return the view of a row as it stands today: it expires by the calendar."""
    code = facts(unit, row).check_code
    return CertificateView(
        id=row.id,
        number=row.number,
        kind=CertificateKind(row.kind),
        state=_state(unit, row),
        person_id=row.person_id,
        year=row.year,
        check_code=code,
        link=f"{unit.settings.public_url}/verify/{code}",
        issued_at=row.issued_at,
        valid_until=row.valid_until,
    )


def verified(unit: Unit, row: Certificate) -> Verified:
    """Return what whoever has the check code may see."""
    stated = facts(unit, row)
    return Verified(
        number=row.number,
        kind=CertificateKind(row.kind),
        state=_state(unit, row),
        year=row.year,
        masked_name=mask_name(stated.name),
        masked_id_number=mask_id_number(stated.id_number),
        issued_at=row.issued_at,
        valid_until=row.valid_until,
        insurances=stated.insurances,
        contributions=len(stated.contributions),
        own_fen=Fen(sum(one.own_fen for one in stated.contributions)),
        settlements=len(stated.settlements),
        total_fen=Fen(sum(one.total_fen for one in stated.settlements)),
        digest=row.digest or "",
    )


def _state(unit: Unit, row: Certificate) -> CertificateState:
    held = CertificateState(row.state)
    late = row.valid_until < local_day(unit.now)
    return CertificateState.EXPIRED if held is CertificateState.VALID and late else held
