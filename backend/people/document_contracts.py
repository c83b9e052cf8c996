"""Documents that say who somebody is, and two records that may be one person's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from backend.kernel.errors import Refusal
from backend.kernel.masking import MaskedName, MaskedNumber
from backend.kernel.states import StateTable


class DocumentKind(StrEnum):
    """证件类型 (``psn_cert_type``).

    The ID number is the master index (主索引); everything else is a supplement to it. The residence
    permit of people from Hong Kong, Macao and Taiwan (81, 82, 83) and the newer permit of foreign
    permanent residents carry a number of the same form, which then is their ID number.
    """

    RESIDENT_ID = "RESIDENT_ID"
    """居民身份证."""
    HK_MACAO_TAIWAN_RESIDENCE = "HK_MACAO_TAIWAN_RESIDENCE"
    """港澳台居民居住证."""
    PERMANENT_RESIDENCE = "PERMANENT_RESIDENCE"
    """外国人永久居留身份证: the older form, three letters and twelve digits."""
    HK_MACAO_PERMIT = "HK_MACAO_PERMIT"
    """港澳居民来往内地通行证."""
    TAIWAN_PERMIT = "TAIWAN_PERMIT"
    """台湾居民来往大陆通行证."""
    PASSPORT = "PASSPORT"
    """护照."""
    BIRTH_CERTIFICATE = "BIRTH_CERTIFICATE"
    """出生医学证明: of a newborn who has no ID number yet."""

    @property
    def health_card_code(self) -> str:
        """Return the code of identity documents in health data (CV02.01.101)."""
        codes = {"RESIDENT_ID": "01", "PASSPORT": "03", "HK_MACAO_PERMIT": "06"}
        codes["TAIWAN_PERMIT"] = "07"
        return codes.get(self.value, "01" if self.is_master_index else "99")

    @property
    def is_master_index(self) -> bool:
        """Tell whether the number of such a document is somebody's ID number."""
        return self in (DocumentKind.RESIDENT_ID, DocumentKind.HK_MACAO_TAIWAN_RESIDENCE)


@dataclass(frozen=True)
class DocumentInput:
    """A document that a clerk or the insurance authority has seen.

    ``country`` is the state that issued a passport, three letters of ISO 3166-1; empty for the others.
    """

    kind: DocumentKind
    number: str
    country: str = ""
    valid_until: date | None = None


@dataclass(frozen=True)
class MainDocument:
    """The document that a person is known by, in the clear. Never leaves the server."""

    kind: DocumentKind
    number: str


@dataclass(frozen=True)
class DocumentView:
    """A document as a screen may show it."""

    id: str
    kind: DocumentKind
    number: MaskedNumber
    country: str
    valid_until: date | None


class DuplicateReason(StrEnum):
    """Why two records may be one person's."""

    SAME_DOCUMENT = "SAME_DOCUMENT"
    SAME_NAME_AND_BIRTH = "SAME_NAME_AND_BIRTH"
    """And at least one of the two has no ID number."""


class DuplicateState(StrEnum):
    """Where the question stands whether two records are one person's."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    """One clerk has compared the papers; another must, too."""
    MERGED = "MERGED"
    DIFFERENT = "DIFFERENT"


class DuplicateEvent(StrEnum):
    """What moves it."""

    PROPOSE = "PROPOSE"
    WITHDRAW = "WITHDRAW"
    """The second clerk does not agree."""
    CONFIRM = "CONFIRM"
    DIFFER = "DIFFER"
    FOUND_AGAIN = "FOUND_AGAIN"
    """The same document turned up with both, after names alone had not been enough."""


_S, _E = DuplicateState, DuplicateEvent
DUPLICATE_STATES: StateTable[DuplicateState, DuplicateEvent] = StateTable(
    name="duplicate",
    title="疑似重复档案 two records that may be one person's",
    initial=(_S.OPEN,),
    moves={
        (_S.OPEN, _E.PROPOSE): _S.PROPOSED,
        (_S.PROPOSED, _E.WITHDRAW): _S.OPEN,
        (_S.PROPOSED, _E.CONFIRM): _S.MERGED,
        (_S.OPEN, _E.DIFFER): _S.DIFFERENT,
        (_S.DIFFERENT, _E.FOUND_AGAIN): _S.OPEN,
    },
)


@dataclass(frozen=True)
class DuplicateView:
    """Two records, side by side. ``kept_id``: which one stays, once a clerk has proposed it."""

    id: str
    state: DuplicateState
    reason: DuplicateReason
    found_at: datetime
    person_ids: tuple[str, str]
    names: tuple[MaskedName, MaskedName]
    numbers: tuple[MaskedNumber, MaskedNumber]
    kept_id: str | None
    proposed_by: str | None
    decided_by: str | None
    words: str


@dataclass(frozen=True)
class DocumentInvalid(Refusal):
    """The number does not have the form of such a document."""

    kind: DocumentKind
    zh = "证件号码与所选证件类型不符。"
    en = "The number does not have the form of this kind of document."
    next_zh = "请核对证件类型和号码后重新填写；护照还需填写签发国家代码。"
    next_en = "Compare kind and number with the document; a passport also needs its country."
