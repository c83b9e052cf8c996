"""Use cases of telling codes apart at a till: any kind of code, an identity card, a face."""

from __future__ import annotations

from backend.access.contracts import Action, TerminalActor
from backend.access.logic import label
from backend.codes import identities
from backend.codes import service as codes
from backend.codes.contracts import Authority, CodeKind, NationalAnswer
from backend.codes.logic import classify
from backend.identity import face_checks
from backend.identity.face_contracts import FaceCheckStarted, FacePurpose
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.errors import Refusal
from backend.payments.booking import place_refusal
from backend.payments.contracts import BeginTillFace, ResolveCode, ResolvedCode, ScanCode
from backend.payments.service import at_till, redeem, scanned_code
from backend.people import queries as people


def resolve_code(
    unit: Unit, command: ResolveCode, national: NationalAnswer | None = None
) -> ResolvedCode | Refusal:
    """Tell whose code of any kind a till has scanned, or whose identity card it has read.

    ``national`` is what the national platform said of one of its codes. It is no part of the command: it
    decodes a code once, and a till that lost our answer repeats the same request.
    """

    def act(unit: Unit, command: ResolveCode, actor: TerminalActor) -> ResolvedCode | Refusal:
        return _resolve(unit, command, actor, national)

    return at_till(unit, "resolve_code", command, ResolvedCode, act, Action.DECODE_CODE)


def is_national(unit: Unit, text: str) -> bool:
    """Tell whether a scanned text is for the national platform to decode."""
    settings = unit.settings
    kind = classify(text, settings.code_prefix, settings.printed_code_prefix)
    return kind is CodeKind.NATIONAL


def begin_till_face(unit: Unit, command: BeginTillFace) -> FaceCheckStarted | Refusal:
    """Begin a check of the face of whoever holds an identity code, at a till."""
    return at_till(
        unit, "begin_till_face", command, FaceCheckStarted, _begin_face, Action.DECODE_CODE
    )


def _resolve(
    unit: Unit, command: ResolveCode, actor: TerminalActor, national: NationalAnswer | None
) -> ResolvedCode | Refusal:
    settings = unit.settings
    kind = classify(command.text, settings.code_prefix, settings.printed_code_prefix)
    if kind is CodeKind.UNIFIED:
        scan = ScanCode(actor, command.text.strip(), command.purpose, command.request_id)
        opened = redeem(unit, scan, actor)
        if isinstance(opened, Refusal):
            return opened
        return ResolvedCode(kind, Authority.THIS_PROVINCE, opened.person, True, opened)
    institution = institutions.institution(unit, actor.institution_id)
    refusal = place_refusal(unit, institution, command.purpose)
    if refusal is not None:
        return refusal
    if kind is CodeKind.NATIONAL and command.card is None:
        found = identities.identify_national(unit, national)
    else:
        found = identities.identify(unit, command.text, command.card)
    if isinstance(found, Refusal):
        return found
    confirmed = found.confirmed
    if not confirmed and command.face_check_id:
        refused = face_checks.spend(
            unit, actor, command.face_check_id, found.person_id, FacePurpose.TILL
        )
        if refused is not None:
            return refused
        confirmed = True
    shown = None
    if confirmed:
        grant, token = codes.new_grant(
            unit, found.person_id, command.purpose, actor.terminal_id, actor.institution_id, None
        )
        shown = scanned_code(unit, grant, token, institution)
    facts = {"kind": found.kind.value, "confirmed": confirmed}
    audit.record(unit, label(actor), "code.resolve", f"person:{found.person_id}", facts)
    person = people.person(unit, found.person_id)
    return ResolvedCode(found.kind, found.authority, person, confirmed, shown)


def _begin_face(
    unit: Unit, command: BeginTillFace, actor: TerminalActor
) -> FaceCheckStarted | Refusal:
    found = identities.identify(unit, command.text, None)
    if isinstance(found, Refusal):
        return found
    return face_checks.open_check(unit, actor, found.person_id, FacePurpose.TILL)
