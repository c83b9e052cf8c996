"""Use cases of institutions and terminals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, select

from backend.access.contracts import SignInRequired, TerminalActor
from backend.infra import audit, rates, search, tokens
from backend.infra.database import Unit
from backend.institutions import queries
from backend.institutions.contracts import (
    Agreement,
    AgreementNotOpen,
    CloseTerminalSession,
    InstitutionView,
    OpenTerminalSession,
    OperatorUnnamed,
    TerminalNotRegistered,
    TerminalSessionClosed,
    TerminalSessionView,
)
from backend.institutions.model import Institution, Terminal, TerminalSession
from backend.regions.library import area_name

ASSERTION_LIVES = timedelta(seconds=60)
ASSERTION_AUDIENCE = "openTerminalSession"


def open_terminal_session(
    unit: Unit, command: OpenTerminalSession
) -> TerminalSessionView | TerminalNotRegistered | OperatorUnnamed | AgreementNotOpen:
    """Open a session for a terminal that proves itself with its own key.

    The assertion is a JWT signed with Ed25519: ``iss`` the terminal's number, ``aud``
    ``openTerminalSession``, a ``jti`` that serves once, and a life of at most a minute.
    """
    if not (1 <= len(command.operator_id.strip()) <= 20 and 1 <= len(command.operator_name) <= 30):
        return OperatorUnnamed()
    terminal = _prove(unit, command.assertion)
    if terminal is None:
        return TerminalNotRegistered()
    institution = queries.institution(unit, terminal.institution_id)
    refusal = agreement_refusal(institution)
    if refusal is not None:
        return refusal
    session = TerminalSession(
        id=unit.new_id(),
        terminal_id=terminal.id,
        operator_id=command.operator_id.strip(),
        operator_name=command.operator_name,
        opened_at=unit.now,
        expires_at=unit.now + timedelta(seconds=unit.settings.terminal_session_seconds),
    )
    unit.db.add(session)
    claims = tokens.Claims(tokens.Audience.TERMINAL, terminal.id, session.id, session.expires_at)
    actor = f"terminal:{terminal.id}/{session.operator_id}"
    audit.record(
        unit, actor, "terminal.sign_in", f"terminal:{terminal.id}", {"session": session.id}
    )
    return TerminalSessionView(
        session_id=session.id,
        access_token=tokens.sign_access_token(
            unit.vault.ring, unit.settings.issuer, claims, unit.now
        ),
        expires_at=session.expires_at,
        institution=institution,
        terminal_number=terminal.number,
        operator_id=session.operator_id,
    )


def close_terminal_session(
    unit: Unit, command: CloseTerminalSession
) -> TerminalSessionClosed | SignInRequired:
    """End the caller's own session. Ending it twice is no error."""
    if not isinstance(command.actor, TerminalActor):
        return SignInRequired()
    session = unit.db.get_one(TerminalSession, command.actor.session_id)
    session.closed_at = session.closed_at or unit.now
    return TerminalSessionClosed(session.id)


def agreement_refusal(institution: InstitutionView) -> AgreementNotOpen | None:
    """Return why the institution may not settle, or ``None``."""
    if institution.agreement is Agreement.OPEN:
        return None
    words = {Agreement.SUSPENDED: "暂停 SUSPENDED", Agreement.TERMINATED: "终止 TERMINATED"}
    return AgreementNotOpen(institution.name, words[institution.agreement])


def register_institution(unit: Unit, institution: InstitutionView) -> None:
    """Store a new institution; it is found by name, address, county and city, and their initials."""
    register_institutions(unit, [institution])


def register_institutions(unit: Unit, institutions: Sequence[InstitutionView]) -> None:
    """Store new institutions, as many statements of search for one as for hundreds."""
    for institution in institutions:
        _store(unit, institution)
    unit.db.flush()
    _make_findable(unit, institutions)


def take_directory(unit: Unit, operator: str, listed: Sequence[InstitutionView]) -> tuple[int, int]:
    """Store institutions of a directory, new ones and changed ones, and return how many of each.

    A known code keeps its id, its position and its hours; what is not listed stays as it is.
    """
    known = {
        row.code: row
        for row in unit.db.exec(
            select(Institution).where(col(Institution.code).in_([one.code for one in listed]))
        ).all()
    }
    fresh = [one for one in listed if one.code not in known]
    changed = []
    for one in listed:
        row = known.get(one.code)
        if row is None or _as_listed(row) == _as_listed(one):
            continue
        for name, value in zip(_LISTED, _as_listed(one), strict=True):
            setattr(row, name, value)
        changed.append(queries.view(row))
    unit.db.flush()
    register_institutions(unit, fresh)
    _make_findable(unit, changed)
    facts = {"new": len(fresh), "changed": len(changed)}
    audit.record(unit, operator, "institution.directory", "institutions", facts)
    return len(fresh), len(changed)


_LISTED = (
    *("name", "kind", "level", "division_code", "area_code"),
    *("address", "abilities", "agreement"),
)


def _as_listed(one: Institution | InstitutionView) -> list[object]:
    found = [getattr(one, name) for name in _LISTED]
    return [sorted(value) if isinstance(value, (list, tuple)) else value for value in found]


def find_all_anew(unit: Unit) -> int:
    """Let every institution be found by what it is called now, and return how many they are."""
    everything = [queries.view(row) for row in unit.db.exec(select(Institution)).all()]
    _make_findable(unit, everything)
    return len(everything)


def _make_findable(unit: Unit, institutions: Sequence[InstitutionView]) -> None:
    entries = {}
    for one in institutions:
        places = area_name(one.area_code) + area_name(one.division_code)
        entries[one.id] = (
            (one.name, 4),
            (search.initials(one.name), 3),
            (one.code, 3),
            (places, 2),
            (one.address, 1),
        )
    search.put(unit, queries.SEARCH, entries)


def _store(unit: Unit, institution: InstitutionView) -> None:
    unit.db.add(
        Institution(
            id=institution.id,
            code=institution.code,
            name=institution.name,
            kind=institution.kind,
            level=institution.level,
            division_code=institution.division_code,
            area_code=institution.area_code,
            address=institution.address,
            abilities=[ability.value for ability in institution.abilities],
            agreement=institution.agreement,
            latitude=institution.latitude,
            longitude=institution.longitude,
            hours=list(institution.hours),
            on_duty=institution.on_duty,
        )
    )


def set_agreement(unit: Unit, operator: str, institution_id: str, agreement: Agreement) -> None:
    """Open, suspend or end an institution's agreement. Open sessions stop at the next request."""
    unit.db.get_one(Institution, institution_id).agreement = agreement
    subject = f"institution:{institution_id}"
    audit.record(
        unit, f"operator:{operator}", "institution.agreement", subject, {"to": agreement.value}
    )


def register_terminal(unit: Unit, number: str, institution_id: str, public_key: bytes) -> str:
    """Store a terminal's number and public key and return its id."""
    terminal = Terminal(
        id=unit.new_id(),
        number=number,
        institution_id=institution_id,
        public_key=public_key.hex(),
    )
    unit.db.add(terminal)
    return terminal.id


def withdraw_terminal(unit: Unit, operator: str, number: str) -> bool:
    """Stop a terminal for good, its open sessions with it. Returns whether there was one."""
    terminal = unit.db.exec(select(Terminal).where(Terminal.number == number)).first()
    if terminal is None:
        return False
    terminal.withdrawn_at = unit.now
    audit.record(unit, f"operator:{operator}", "terminal.withdraw", f"terminal:{terminal.id}", {})
    return True


def _prove(unit: Unit, assertion: str) -> Terminal | None:
    try:
        number = tokens.unverified_issuer(assertion)
        terminal = unit.db.exec(select(Terminal).where(Terminal.number == number)).first()
        if terminal is None or terminal.withdrawn_at is not None:
            return None
        claims = tokens.verify_assertion(
            bytes.fromhex(terminal.public_key),
            assertion,
            ASSERTION_AUDIENCE,
            unit.now,
            ASSERTION_LIVES,
        )
    except tokens.TokenInvalid:
        return None
    nonce = f"terminal:{terminal.id}:{claims['jti']}"
    return terminal if rates.spend_nonce(unit, nonce, 2 * ASSERTION_LIVES) else None
