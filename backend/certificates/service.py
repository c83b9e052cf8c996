"""Use cases of certificates: issue, sign once, take back, and verify by whoever has the paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import select

from backend.access.contracts import Action, Actor, PersonActor, SignInRequired
from backend.access.logic import label
from backend.certificates import queries
from backend.certificates.contracts import (
    CERTIFICATE_STATES,
    CashFacts,
    CertificateEvent,
    CertificateFacts,
    CertificateKind,
    CertificateNotFound,
    CertificateNotPossible,
    CertificatePaper,
    CertificateProblem,
    CertificateState,
    CertificateView,
    CheckCodeUnknown,
    ContributionFacts,
    InsuranceFacts,
    IssueCertificate,
    ReceiptFacts,
    ReceiptLine,
    RevokeCertificate,
    SettlementFacts,
    TooManyChecks,
    Verified,
    VerifyCertificate,
)
from backend.certificates.model import Certificate
from backend.enrolment import queries as enrolment
from backend.enrolment.contracts import ContributionState
from backend.infra import audit, rates
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen, quantity_text, unit_price_text
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.notices.service import tell
from backend.orders import queries as orders
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note
from backend.settlement import queries as settlements
from backend.settlement.case import CareKind
from backend.settlement.contracts import SettlementView

_CODE_BYTES = 10
_DAY, _HOUR = 86_400, 3_600
_WITH_YEAR = (CertificateKind.CONTRIBUTIONS, CertificateKind.SETTLEMENTS)
_FIRST_YEAR = 2000
_BASE32, _READABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The check code is written without I, L, O and U, which are misread."""


def issue(unit: Unit, command: IssueCertificate) -> CertificateView | Refusal:
    """Issue a certificate that states what stands in the books now. Whose it is, is told."""
    right = _right(unit, command.actor, command.person_id)
    if isinstance(right, Refusal):
        return right

    def run() -> CertificateView | Refusal:
        made = _issued(unit, command)
        if not isinstance(made, Refusal):
            note(unit, right, command.actor, Action.FILE)
        return made

    scope = f"certificate.issue:{label(command.actor)}"
    return once(unit, scope, command.request_id, command, (CertificateView,), run)


def revoke(unit: Unit, command: RevokeCertificate) -> CertificateView | Refusal:
    """Take a certificate back; its check code says so from now on."""
    found = _own(unit, command.actor, _locked(unit, command.certificate_id))
    if isinstance(found, Refusal):
        return found
    row, right = found
    state = queries.view(unit, row).state
    after = CERTIFICATE_STATES.after(state, CertificateEvent.REVOKE)
    if after is None:
        return CertificateNotFound()
    row.state, row.revoked_at = after, unit.now
    unit.db.flush()
    facts = {"certificate": row.id}
    audit.record(unit, label(command.actor), "certificate.revoke", f"person:{row.person_id}", facts)
    note(unit, right, command.actor, Action.FILE)
    return queries.view(unit, row)


def paper(unit: Unit, actor: Actor, certificate_id: str) -> CertificatePaper | Refusal:
    """Return a certificate with all it states, to whose it is or who files for them."""
    found = _own(unit, actor, unit.db.get(Certificate, certificate_id))
    if isinstance(found, Refusal):
        return found
    row, right = found
    if row.state == CertificateState.REVOKED:
        return CertificateNotFound()
    audit.record(unit, label(actor), "certificate.fetch", f"person:{row.person_id}", {"id": row.id})
    note(unit, right, actor, Action.VIEW_RIGHTS)
    file = None if row.file is None else unit.vault.open_bytes(row.file, f"certificate:{row.id}")
    return CertificatePaper(queries.view(unit, row), queries.facts(unit, row), file)


def keep(unit: Unit, certificate_id: str, file: bytes) -> bytes:
    """Store the signed file of a certificate and return it; of two at once the first one counts."""
    row = _locked(unit, certificate_id)
    if row is None:
        raise KeyError(certificate_id)
    if row.file is not None:
        return unit.vault.open_bytes(row.file, f"certificate:{row.id}")
    row.file = unit.vault.seal_bytes(file, f"certificate:{row.id}")
    row.digest = hashlib.sha256(file).hexdigest()
    unit.db.flush()
    return file


def verify(unit: Unit, command: VerifyCertificate) -> Verified | CheckCodeUnknown | TooManyChecks:
    """Return what a check code stands for. Wrong ones count against the address they come from."""
    bucket = f"check:{rates.place_of(unit, command.address)}"
    limit = unit.settings.wrong_check_codes_per_address_per_hour
    wait = rates.wait_for(unit, bucket, limit, _HOUR)
    if wait is not None:
        return TooManyChecks(wait)
    index = _check_index(unit, command.check_code)
    row = unit.db.exec(select(Certificate).where(Certificate.check_index == index)).first()
    if row is None:
        rates.hit(unit, bucket, limit, _HOUR)
        return CheckCodeUnknown()
    return queries.verified(unit, row)


def _right(unit: Unit, actor: Actor, person_id: str) -> Right | Refusal:
    """Return by what right somebody has certificates of a person: they see and file for them."""
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    seeing = authorize(unit, actor, Action.VIEW_RIGHTS, person_id)
    if isinstance(seeing, Refusal):
        return seeing
    return authorize(unit, actor, Action.FILE, person_id)


def _own(unit: Unit, actor: Actor, row: Certificate | None) -> tuple[Certificate, Right] | Refusal:
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    right = CertificateNotFound() if row is None else _right(unit, actor, row.person_id)
    if isinstance(right, Refusal) or row is None:
        return CertificateNotFound()
    return row, right


def _issued(unit: Unit, command: IssueCertificate) -> CertificateView | CertificateNotPossible:
    today, kind = local_day(unit.now), command.kind
    year = command.year if kind in _WITH_YEAR else None
    if kind in _WITH_YEAR and (year is None or not _FIRST_YEAR <= year <= today.year):
        return CertificateNotPossible(CertificateProblem.YEAR)
    limit = unit.settings.certificates_per_person_per_day
    if rates.hit(unit, f"certificate:{command.person_id}", limit, _DAY) is not None:
        return CertificateNotPossible(CertificateProblem.TOO_MANY)
    code = _new_code(unit)
    stated = _facts(unit, command, year, code)
    if stated is None:
        return CertificateNotPossible(CertificateProblem.SETTLEMENT)
    if not (stated.insurances or stated.contributions or stated.settlements):
        return CertificateNotPossible(CertificateProblem.NOTHING)
    certificate_id, by = unit.new_id(), label(command.actor)
    sealed = queries.FACTS.dump_json(stated).decode()
    row = Certificate(
        id=certificate_id,
        number=f"PZ{today:%Y%m%d}{unit.resources.ids.digits(8)}",
        kind=kind,
        state=CertificateState.VALID,
        person_id=command.person_id,
        year=year,
        check_index=_check_index(unit, code),
        facts=unit.vault.seal(sealed, f"certificate:{certificate_id}"),
        issued_at=unit.now,
        issued_by=by,
        valid_until=today + timedelta(days=unit.settings.certificate_days),
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"certificate": row.id, "kind": kind.value}
    audit.record(unit, by, "certificate.issue", f"person:{row.person_id}", facts)
    tell(unit, row.person_id, "certificate_issued", {"number": row.number, "kind": kind.value})
    return queries.view(unit, row)


def _facts(
    unit: Unit, command: IssueCertificate, year: int | None, code: str
) -> CertificateFacts | None:
    """Return what a certificate states; ``None`` where a receipt is asked for of nothing of theirs."""
    person_id, kind = command.person_id, command.kind
    known = people.particulars(unit, person_id)
    number = known.id_number or people.main_document(unit, person_id).number
    insurances: tuple[InsuranceFacts, ...] = ()
    contributions: tuple[ContributionFacts, ...] = ()
    settled: tuple[SettlementFacts, ...] = ()
    if kind is CertificateKind.ENROLMENT:
        insurances = _insurances(unit, person_id)
    elif year is not None and kind is CertificateKind.CONTRIBUTIONS:
        contributions = _contributions(unit, person_id, year)
    elif year is not None:
        settled = _settlements(unit, person_id, year)
    receipt = None
    if kind is CertificateKind.RECEIPT:
        found = settlements.settlement(unit, command.settlement_id or "")
        if found is None or found.person_id != person_id:
            return None
        settled = _stated(unit, [(settlements.care_of(unit, found.id), found)])
        receipt = _receipt(unit, found)
    return CertificateFacts(known.name, number, code, insurances, contributions, settled, receipt)


def _receipt(unit: Unit, settled: SettlementView) -> ReceiptFacts:
    paid = orders.of_settlement(unit, settled.id)
    return ReceiptFacts(
        settlement_id=settled.id,
        taken_back=settled.reversed_by_id is not None,
        lines=tuple(
            ReceiptLine(
                one.name,
                quantity_text(one.quantity),
                unit_price_text(one.unit_price),
                one.total_fen,
                Fen(one.total_fen - one.in_scope_fen),
            )
            for one in settled.outcome.lines
        ),
        cash=None
        if paid is None
        else CashFacts(
            paid.channel.value, paid.number, paid.trade_number, paid.cash_fen, paid.returned_fen
        ),
    )


def _insurances(unit: Unit, person_id: str) -> tuple[InsuranceFacts, ...]:
    held = people.enrolments_held(unit, person_id, local_day(unit.now))
    ids = [one.id for one in held]
    months, moved = enrolment.months_paid(unit, ids), enrolment.transfers_from(unit, ids)
    areas = people.areas_of_enrolments(unit, [one.to_enrolment_id for one in moved.values()])
    return tuple(
        InsuranceFacts(
            one.area_code,
            one.insurance_type,
            one.person_kind,
            one.person_number,
            one.status,
            one.status_from,
            months[one.id],
            ledger.balance(unit, accounts.personal(one.id)),
            areas[moved[one.id].to_enrolment_id] if one.id in moved else "",
        )
        for one in held
    )


def _contributions(unit: Unit, person_id: str, year: int) -> tuple[ContributionFacts, ...]:
    ids = people.enrolment_ids(unit, person_id)
    areas = people.areas_of_enrolments(unit, ids)
    return tuple(
        ContributionFacts(
            areas[one.enrolment_id],
            one.starts,
            one.ends,
            one.state,
            one.base_fen,
            one.own_fen,
            one.others_fen,
            one.payer,
            one.paid_on,
            one.repairs,
        )
        for one in reversed(enrolment.contributions(unit, ids, year))
        if one.state is ContributionState.PAID
    )


def _settlements(unit: Unit, person_id: str, year: int) -> tuple[SettlementFacts, ...]:
    return _stated(unit, settlements.of_year(unit, person_id, year))


def _stated(
    unit: Unit, booked: Sequence[tuple[CareKind, SettlementView]]
) -> tuple[SettlementFacts, ...]:
    places = institutions.institutions(unit, [one.institution_id for _, one in booked])
    return tuple(
        SettlementFacts(
            local_day(one.settled_at),
            one.kind,
            care,
            places[one.institution_id].name,
            one.total_fen,
            one.fund_fen,
            one.hospital_fen,
            one.account_fen,
            one.family_fen,
            one.cash_fen,
        )
        for care, one in booked
    )


def _new_code(unit: Unit) -> str:
    """Return 80 bits in four groups of four characters."""
    plain = base64.b32encode(unit.resources.ids.secret(_CODE_BYTES)).decode()
    code = plain.translate(str.maketrans(_BASE32, _READABLE))
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _check_index(unit: Unit, code: str) -> str:
    """Return the keyed hash of a check code, however it was typed."""
    tidy = "".join(one for one in code.upper() if one.isalnum())[:64]
    tidy = tidy.translate(str.maketrans("OIL", "011"))
    return unit.vault.index(tidy, "check code")


def _locked(unit: Unit, certificate_id: str) -> Certificate | None:
    query = select(Certificate).where(Certificate.id == certificate_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).first()
