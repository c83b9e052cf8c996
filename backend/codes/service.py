"""Use cases of the unified code."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from backend.access.contracts import Action, PersonActor
from backend.access.logic import label
from backend.codes.contracts import (
    CODE_STATES,
    CodeEvent,
    CodeExpired,
    CodeForOtherPurpose,
    CodeState,
    CodeUnknown,
    CodeUnreadable,
    CodeUsed,
    CodeVoided,
    GrantNotValid,
    IssueCode,
    IssuedCode,
    Purpose,
)
from backend.codes.logic import RANDOM_LENGTH, is_code, make_code
from backend.codes.model import ScanGrant, UnifiedCode
from backend.identity import safety
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.people import queries as people
from backend.proxies import queries as bindings
from backend.proxies.authority import Right, authorize, note
from backend.proxies.contracts import Scope

ScanRefusal = (
    CodeUnreadable | CodeUnknown | CodeExpired | CodeUsed | CodeVoided | CodeForOtherPurpose
)
_REFRESH_SHARE = 4  # a code is refreshed when a quarter of its life is left
_GRANT_SECRET_BYTES = 24


@dataclass(frozen=True)
class Grant:
    """A scan's authority: whom it is about, for what, at which terminal, until when."""

    id: str
    person_id: str
    terminal_id: str
    institution_id: str
    purpose: Purpose
    expires_at: datetime
    shown_by_id: str | None = None
    identity_only: bool = False


def issue_code(unit: Unit, command: IssueCode) -> IssuedCode | Refusal:
    """Issue a code of the caller's or a relative's, and void this device's older one of that person."""
    right = authorize(unit, command.actor, Action.SHOW_CODE, command.person_id)
    if isinstance(right, Refusal):
        return right
    return once(
        unit,
        f"issue_code:{label(command.actor)}",
        command.request_id,
        command,
        (IssuedCode,),
        lambda: _issue(unit, command, right),
    )


def redeem_code(
    unit: Unit, text: str, purpose: Purpose, terminal_id: str, institution_id: str
) -> tuple[Grant, str] | ScanRefusal:
    """Use up a code and return the grant with its token, which exists nowhere else.

    The code's row is locked, so of two terminals that scan it in the same moment one wins.
    """
    if not is_code(text, unit.settings.code_prefix):
        return CodeUnreadable()
    code = unit.db.exec(
        select(UnifiedCode)
        .where(UnifiedCode.digest == unit.vault.index(text, "code"))
        .with_for_update()
    ).first()
    if code is None:
        return CodeUnknown()
    refusal = _refusal_of(unit, code, purpose)
    if refusal is not None:
        return refusal
    _move(code, CodeEvent.SCAN)
    code.decoded_at = unit.now
    code.terminal_id = terminal_id
    return new_grant(unit, code.person_id, purpose, terminal_id, institution_id, code)


def new_grant(
    unit: Unit,
    person_id: str,
    purpose: Purpose,
    terminal_id: str,
    institution_id: str,
    code: UnifiedCode | None,
) -> tuple[Grant, str]:
    """Open a grant for one terminal and return it with its token, which exists nowhere else.

    Without a unified code the holder was confirmed by a document: funds pay, no account does.
    """
    secret = base64.urlsafe_b64encode(unit.resources.ids.secret(_GRANT_SECRET_BYTES)).decode()
    grant = ScanGrant(
        id=unit.new_id(),
        digest=unit.vault.index(secret, "grant"),
        code_id=None if code is None else code.id,
        person_id=person_id,
        terminal_id=terminal_id,
        institution_id=institution_id,
        purpose=purpose,
        expires_at=unit.now + timedelta(seconds=unit.settings.decode_grant_seconds),
        shown_by_id=None if code is None else code.shown_by_id,
        identity_only=code is None,
    )
    unit.db.add(grant)
    unit.db.flush()
    return grant_of(grant), secret


def grant_to(
    unit: Unit,
    person_id: str,
    purpose: Purpose,
    terminal_id: str,
    institution_id: str,
    shown_by_id: str | None,
) -> Grant:
    """Open a grant for a terminal whose own code somebody has scanned: the phone itself says who pays."""
    grant, _ = new_grant(unit, person_id, purpose, terminal_id, institution_id, None)
    row = unit.db.get_one(ScanGrant, grant.id)
    row.identity_only, row.shown_by_id = False, shown_by_id
    unit.db.flush()
    return grant_of(row)


def open_grant(unit: Unit, token: str, terminal_id: str) -> Grant | GrantNotValid:
    """Return what a scan's token allows this terminal; locks first its person, then the grant."""
    found = select(ScanGrant).where(ScanGrant.digest == unit.vault.index(token, "grant"))
    grant = unit.db.exec(found).first()
    if grant is None:
        return GrantNotValid()
    people.lock_person(unit, grant.person_id)
    lock_grant(unit, grant.id)
    if (
        grant.terminal_id != terminal_id
        or grant.used_up_at is not None
        or grant.expires_at <= unit.now
    ):
        return GrantNotValid()
    return grant_of(grant)


def scanned_person(unit: Unit, token: str, terminal_id: str) -> str:
    """Return whom a scan's token of this terminal is about while it counts, else nothing. Locks nothing."""
    query = select(ScanGrant).where(
        ScanGrant.digest == unit.vault.index(token, "grant"),
        ScanGrant.terminal_id == terminal_id,
        col(ScanGrant.used_up_at).is_(None),
        ScanGrant.expires_at > unit.now,
    )
    grant = unit.db.exec(query).first()
    return "" if grant is None else grant.person_id


def lock_grant(unit: Unit, grant_id: str) -> None:
    """Lock a grant and read it anew. The person must be locked already."""
    query = select(ScanGrant).where(ScanGrant.id == grant_id).with_for_update()
    unit.db.exec(query.execution_options(populate_existing=True)).one()


def scanned_lately(unit: Unit, person_id: str, since: datetime) -> list[str]:
    """Return at which institutions a person's codes were scanned since an instant."""
    life = timedelta(seconds=unit.settings.decode_grant_seconds)
    rows = unit.db.exec(
        select(ScanGrant.institution_id)
        .where(ScanGrant.person_id == person_id, ScanGrant.expires_at > since + life)
        .distinct()
    ).all()
    return list(rows)


def presences(unit: Unit, person_id: str, since: datetime) -> list[tuple[str, datetime]]:
    """Return where and when a person's own code or document was in hand, the newest first.

    A code that a relative showed, and a charge that was paid from afar, say nothing about where they were.
    """
    life = timedelta(seconds=unit.settings.decode_grant_seconds)
    in_hand = col(ScanGrant.code_id).is_not(None) | col(ScanGrant.identity_only)
    rows = unit.db.exec(
        select(ScanGrant.institution_id, ScanGrant.expires_at)
        .where(ScanGrant.person_id == person_id, ScanGrant.expires_at > since + life)
        .where(in_hand, col(ScanGrant.shown_by_id).is_(None))
        .order_by(col(ScanGrant.expires_at).desc())
    ).all()
    return [(institution_id, expires_at - life) for institution_id, expires_at in rows]


def is_identity_only(unit: Unit, grant_id: str) -> bool:
    """Tell whether a grant rests on a document or a code that proves identity alone."""
    return unit.db.get_one(ScanGrant, grant_id).identity_only


def use_up_grant(unit: Unit, grant_id: str) -> None:
    """End a grant: its settlement is booked."""
    unit.db.get_one(ScanGrant, grant_id).used_up_at = unit.now


def void_all(unit: Unit, person_id: str) -> None:
    """Let no code of a person be scanned any more, and no scan of one be used."""
    shown = select(UnifiedCode).where(
        UnifiedCode.person_id == person_id, UnifiedCode.state == CodeState.ISSUED
    )
    for code in unit.db.exec(shown.with_for_update()).all():
        _move(code, CodeEvent.VOID)
    scanned = select(ScanGrant).where(
        ScanGrant.person_id == person_id, col(ScanGrant.used_up_at).is_(None)
    )
    for grant in unit.db.exec(scanned.with_for_update()).all():
        grant.used_up_at = unit.now
    unit.db.flush()


def _issue(unit: Unit, command: IssueCode, right: Right) -> IssuedCode | Refusal:
    actor = command.actor
    frozen = safety.frozen_refusal(unit, command.person_id)
    if frozen is not None:
        return frozen
    invariant(isinstance(actor, PersonActor), "only a person's device is issued a code")
    device = actor.session_id if isinstance(actor, PersonActor) else ""
    older = select(UnifiedCode).where(
        UnifiedCode.device_session_id == device,
        UnifiedCode.person_id == command.person_id,
        UnifiedCode.state == CodeState.ISSUED,
    )
    for code in unit.db.exec(older.with_for_update()).all():
        _move(code, CodeEvent.VOID)
    text = make_code(unit.settings.code_prefix, unit.resources.ids.digits(RANDOM_LENGTH))
    life = timedelta(seconds=unit.settings.code_seconds)
    code = UnifiedCode(
        id=unit.new_id(),
        digest=unit.vault.index(text, "code"),
        person_id=command.person_id,
        device_session_id=device,
        purpose=command.purpose,
        state=CodeState.ISSUED,
        issued_at=unit.now,
        expires_at=unit.now + life,
        shown_by_id=right.delegate_id,
    )
    unit.db.add(code)
    unit.db.flush()
    note(unit, right, actor, Action.SHOW_CODE)
    subject = f"person:{command.person_id}"
    facts = {"code": code.id, "purpose": command.purpose.value}
    audit.record(unit, label(actor), "code.issue", subject, facts)
    return IssuedCode(
        id=code.id,
        text=text,
        purpose=command.purpose,
        issued_at=unit.now,
        expires_at=code.expires_at,
        refresh_at=code.expires_at - life / _REFRESH_SHARE,
    )


def _refusal_of(unit: Unit, code: UnifiedCode, purpose: Purpose) -> ScanRefusal | None:
    if code.state == CodeState.DECODED:
        return CodeUsed(code.decoded_at or unit.now)
    if code.state == CodeState.VOIDED or not relative_may(unit, code.shown_by_id, code.person_id):
        return CodeVoided()
    if code.expires_at <= unit.now:
        return CodeExpired(code.expires_at)
    if code.purpose != purpose:
        return CodeForOtherPurpose(code.purpose, purpose.value)
    return None


def relative_may(unit: Unit, shown_by_id: str | None, person_id: str) -> bool:
    """Tell whether whoever shows a code may still do so: a binding may have ended since."""
    if shown_by_id is None:
        return True
    found = bindings.in_force(unit, shown_by_id, person_id)
    return found is not None and Scope.SHOW_CODE in found.scopes


def _move(code: UnifiedCode, event: CodeEvent) -> None:
    after = CODE_STATES.after(CodeState(code.state), event)
    invariant(after is not None, f"a code that is {code.state} cannot {event}")
    code.state = after or code.state


def grant_of(row: ScanGrant) -> Grant:
    """Return the view of a grant."""
    return Grant(
        id=row.id,
        person_id=row.person_id,
        terminal_id=row.terminal_id,
        institution_id=row.institution_id,
        purpose=Purpose(row.purpose),
        expires_at=row.expires_at,
        shown_by_id=row.shown_by_id,
        identity_only=row.identity_only,
    )
