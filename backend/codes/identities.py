"""Use cases of codes that prove identity and move no money: health card, signed, printed, ID card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import col, delete, select

from backend.access.contracts import Action, Actor
from backend.access.logic import label
from backend.codes import health_card
from backend.codes.contracts import (
    Authority,
    CodeKind,
    CodeOfOtherAuthority,
    CodeRevoked,
    CodeUnknown,
    CodeUnreadable,
    DocumentDiffers,
    HealthCard,
    IdCardReading,
    IdentityCodesRevoked,
    InsuredElsewhere,
    IssueIdentityCode,
    MakePrintedCode,
    NationalAnswer,
    NationalHolder,
    NationalPlatformSilent,
    NationalSilence,
    PrintedIdentity,
    RevokeIdentityCodes,
    ShowHealthCard,
    SignedIdentity,
)
from backend.codes.health_card import CardKeys, CardUnreadable
from backend.codes.identity_code import (
    IdentityClaims,
    TrustedKey,
    TrustList,
    Verdict,
    document_digest,
    make,
    verify,
    write_trust,
)
from backend.codes.logic import RANDOM_LENGTH, classify, is_code, make_code
from backend.codes.model import PrintedCode, SignedCode
from backend.codes.service import relative_may
from backend.identity import queries as identity
from backend.identity import safety
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.notices.service import tell
from backend.people import queries as people
from backend.people.document_contracts import DocumentKind
from backend.proxies.authority import Right, authorize, note
from backend.regions.library import area_name

_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
"""Keys of the ring carry no dates; whichever is in it may have signed since then."""


@dataclass(frozen=True)
class Identified:
    """Whose code it is. ``confirmed``: an identity card was read and is the same person's."""

    kind: CodeKind
    authority: Authority
    person_id: str
    confirmed: bool


def show_health_card(unit: Unit, command: ShowHealthCard) -> HealthCard | Refusal:
    """Return a person's electronic health card, static or valid for some minutes."""
    right = _right_to_show(unit, command.actor, command.person_id)
    if isinstance(right, Refusal):
        return right
    document = people.main_document(unit, command.person_id)
    kind, number = document.kind.health_card_code, document.number
    keys = card_keys(unit)
    index = health_card.index_of(kind, number)
    until = unit.now + timedelta(seconds=unit.settings.health_card_seconds)
    valid_until = until.replace(microsecond=0) if command.dynamic else None
    return HealthCard(
        card_id=health_card.card_id_of(keys.root, index, kind, number),
        text=health_card.text_of(keys, kind, number, valid_until),
        valid_until=valid_until,
    )


def issue_identity_code(unit: Unit, command: IssueIdentityCode) -> SignedIdentity | Refusal:
    """Sign an identity code that can be shown and verified without a network."""
    right = _right_to_show(unit, command.actor, command.person_id)
    if isinstance(right, Refusal):
        return right
    person = people.person(unit, command.person_id)
    number = people.main_document(unit, command.person_id).number
    issued = unit.now.replace(microsecond=0)
    row = SignedCode(
        serial=unit.new_id(),
        person_id=command.person_id,
        issued_at=issued,
        expires_at=issued + timedelta(hours=unit.settings.identity_code_hours),
        shown_by_id=right.delegate_id,
    )
    unit.db.add(row)
    unit.db.flush()
    ring = unit.vault.ring
    claims = IdentityClaims(
        issuer=unit.settings.region,
        serial=row.serial,
        masked_name=person.masked_name,
        document_digest=document_digest(row.serial, number),
        issued_at=issued,
        expires_at=row.expires_at,
    )
    text = make(claims, ring.signer_id, ring.signers[ring.signer_id])
    facts = {"serial": row.serial}
    subject = f"person:{command.person_id}"
    audit.record(unit, label(command.actor), "identity_code.issue", subject, facts)
    return SignedIdentity(row.serial, text, issued, row.expires_at)


def make_printed_code(unit: Unit, command: MakePrintedCode) -> PrintedIdentity | Refusal:
    """Make a code to be printed; the one before it is void at once."""
    right = _right_to_show(unit, command.actor, command.person_id)
    if isinstance(right, Refusal):
        return right
    return print_code(unit, command.person_id, label(command.actor), right.delegate_id)


def print_code(
    unit: Unit, person_id: str, by: str, shown_by_id: str | None = None
) -> PrintedIdentity:
    """Make a person's printed code, at the desk or for whoever may show it.

    What a relative has made ends with the binding.
    """
    _revoke_printed(unit, person_id)
    prefix = unit.settings.printed_code_prefix
    text = make_code(prefix, unit.resources.ids.digits(RANDOM_LENGTH))
    row = PrintedCode(
        id=unit.new_id(),
        digest=unit.vault.index(text, "printed_code"),
        person_id=person_id,
        made_at=unit.now,
        made_by=by,
        shown_by_id=shown_by_id,
    )
    unit.db.add(row)
    unit.db.flush()
    tell(unit, person_id, "printed_code_made")
    audit.record(unit, by, "printed_code.make", f"person:{person_id}", {"code": row.id})
    return PrintedIdentity(row.id, text, row.made_at)


def revoke_identity_codes(
    unit: Unit, command: RevokeIdentityCodes
) -> IdentityCodesRevoked | Refusal:
    """Take back every signed and printed code of a person; needs no proof."""
    right = authorize(unit, command.actor, Action.SHOW_CODE, command.person_id)
    if isinstance(right, Refusal):
        return right
    note(unit, right, command.actor, Action.SHOW_CODE)
    revoked = revoke_all(unit, command.person_id)
    subject = f"person:{command.person_id}"
    facts = {"signed": revoked.signed, "printed": revoked.printed}
    audit.record(unit, label(command.actor), "identity_codes.revoke", subject, facts)
    return revoked


def revoke_all(unit: Unit, person_id: str) -> IdentityCodesRevoked:
    """Take back every signed and printed code of a person."""
    printed, signed = _revoke_printed(unit, person_id), 0
    for row in unit.db.exec(
        select(SignedCode)
        .where(SignedCode.person_id == person_id, col(SignedCode.revoked_at).is_(None))
        .where(SignedCode.expires_at > unit.now)
        .order_by(col(SignedCode.serial))
        .with_for_update()
    ).all():
        row.revoked_at = unit.now
        signed += 1
    unit.db.flush()
    return IdentityCodesRevoked(signed, printed)


def identify(unit: Unit, text: str, card: IdCardReading | None) -> Identified | Refusal:
    """Return whose code a scanned text is, or whose identity card was read where there is no text.

    A unified code is not for this: it is used up by ``redeem_code`` and says more than identity.
    """
    holder = None if card is None else _holder(unit, card)
    if card is not None and holder is None:
        return DocumentDiffers()
    if not text:
        if holder is None:
            return CodeUnreadable()
        return Identified(CodeKind.ID_CARD, Authority.THIS_PROVINCE, holder, confirmed=True)
    settings = unit.settings
    kind = classify(text, settings.code_prefix, settings.printed_code_prefix)
    found = _person_of(unit, text.strip(), kind)
    if isinstance(found, Refusal):
        return found
    if holder is not None and holder != found:
        return DocumentDiffers()
    return Identified(kind, Authority.THIS_PROVINCE, found, confirmed=holder is not None)


def identify_national(unit: Unit, said: NationalAnswer | None) -> Identified | Refusal:
    """Return whom the national platform has named, where they are insured here.

    It proves identity and no more: our own guards (device, place, freeze) saw nothing of that code.
    """
    kind, authority = CodeKind.NATIONAL, Authority.NATIONAL_PLATFORM
    if said is NationalSilence.NO_CODE:
        return CodeUnknown()
    if said is NationalSilence.SILENT:
        return NationalPlatformSilent()
    if not isinstance(said, NationalHolder):
        return CodeOfOtherAuthority(kind, authority)
    found = people.named(unit, said.name, said.id_number)
    if found is None:
        return InsuredElsewhere(area_name(said.area_code))
    allowed = _unless_frozen(unit, found)
    if isinstance(allowed, Refusal):
        return allowed
    return Identified(kind, authority, found, confirmed=True)


def trust_list(unit: Unit) -> TrustList:
    """Return whom a verifier may believe, and which codes were taken back or are frozen."""
    hours = unit.settings.trust_list_hours
    fresh_until = unit.now + timedelta(hours=hours)
    last = fresh_until + timedelta(hours=unit.settings.identity_code_hours)
    keys = tuple(
        TrustedKey(
            key_id,
            unit.settings.region,
            key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
            _BEGIN,
            last,
        )
        for key_id, key in unit.vault.ring.signers.items()
    )
    frozen = set(identity.frozen_people(unit))
    shown = unit.db.exec(select(SignedCode).where(SignedCode.expires_at > unit.now)).all()
    revoked = (
        row.serial
        for row in shown
        if row.revoked_at is not None
        or row.person_id in frozen
        or not relative_may(unit, row.shown_by_id, row.person_id)
    )
    return TrustList(unit.now, fresh_until, keys, frozenset(revoked))


def tidy_up(unit: Unit) -> int:
    """Remove signed codes that are past their time and return how many went."""
    gone = delete(SignedCode).where(col(SignedCode.expires_at) < unit.now)
    return unit.db.exec(gone).rowcount


def signed_trust_list(unit: Unit) -> str:
    """Return the trust list as a token signed by this installation."""
    ring = unit.vault.ring
    key = ring.signers[ring.signer_id]
    return write_trust(trust_list(unit), unit.settings.issuer, ring.signer_id, key)


def card_keys(unit: Unit) -> CardKeys:
    """Return the keys of health cards, made from the oldest master key so that cards keep."""
    ring = unit.vault.ring
    oldest = list(ring.masters)[-1]
    return CardKeys(
        ring.derive(oldest, "health-card/root")[:16],
        ring.derive(oldest, "health-card/protection")[:16],
    )


def _right_to_show(unit: Unit, actor: Actor, person_id: str) -> Right | Refusal:
    right = authorize(unit, actor, Action.SHOW_CODE, person_id)
    if isinstance(right, Refusal):
        return right
    frozen = safety.frozen_refusal(unit, person_id)
    if frozen is not None:
        return frozen
    note(unit, right, actor, Action.SHOW_CODE)
    return right


def _person_of(unit: Unit, text: str, kind: CodeKind) -> str | Refusal:
    if kind is CodeKind.PRINTED:
        return _of_printed(unit, text)
    if kind is CodeKind.HEALTH_CARD:
        return _of_health_card(unit, text)
    if kind is CodeKind.SIGNED:
        return _of_signed(unit, text)
    if kind is CodeKind.NATIONAL:
        return CodeOfOtherAuthority(kind, Authority.NATIONAL_PLATFORM)
    return CodeOfOtherAuthority(kind, Authority.INSTITUTION)


def _of_printed(unit: Unit, text: str) -> str | Refusal:
    if not is_code(text, unit.settings.printed_code_prefix):
        return CodeUnreadable()
    row = unit.db.exec(
        select(PrintedCode).where(PrintedCode.digest == unit.vault.index(text, "printed_code"))
    ).first()
    if row is None:
        return CodeUnknown()
    if row.revoked_at is not None or not relative_may(unit, row.shown_by_id, row.person_id):
        return CodeRevoked()
    return _unless_frozen(unit, row.person_id)


def _of_health_card(unit: Unit, text: str) -> str | Refusal:
    keys = card_keys(unit)
    try:
        read = health_card.read(keys, text)
        code, number = health_card.document_of(keys.root, read.index, read.card_id)
    except CardUnreadable:
        return CodeUnreadable()
    if read.valid_at is not None and read.valid_at <= unit.now:
        return CodeRevoked()
    kinds = [kind for kind in DocumentKind if kind.health_card_code == code]
    found = {people.person_by_document(unit, kind, number) for kind in kinds} - {None}
    person_id = found.pop() if len(found) == 1 else None
    return CodeUnknown() if person_id is None else _unless_frozen(unit, person_id)


def _of_signed(unit: Unit, text: str) -> str | Refusal:
    found = verify(text, trust_list(unit), unit.now)
    if found.verdict is Verdict.UNREADABLE or found.claims is None:
        foreign = found.verdict is Verdict.FORGED
        other = CodeOfOtherAuthority(CodeKind.SIGNED, Authority.OTHER_PROVINCE)
        return other if foreign else CodeUnreadable()
    if found.verdict is not Verdict.VALID:
        return CodeRevoked()
    row = unit.db.get(SignedCode, found.claims.serial)
    return CodeUnknown() if row is None else _unless_frozen(unit, row.person_id)


def _unless_frozen(unit: Unit, person_id: str) -> str | Refusal:
    return safety.frozen_refusal(unit, person_id) or person_id


def _holder(unit: Unit, card: IdCardReading) -> str | None:
    return people.named(unit, card.name, card.id_number)


def _revoke_printed(unit: Unit, person_id: str) -> int:
    rows = unit.db.exec(
        select(PrintedCode)
        .where(PrintedCode.person_id == person_id, col(PrintedCode.revoked_at).is_(None))
        .with_for_update()
    ).all()
    for row in rows:
        row.revoked_at = unit.now
    unit.db.flush()
    return len(rows)
