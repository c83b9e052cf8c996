"""Policy documents as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.kernel.errors import Refusal, Retry
from backend.kernel.states import StateTable
from backend.people.contracts import InsuranceType


class DocumentKind(StrEnum):
    """What a document is."""

    RULE = "RULE"
    """政策: what the rulebook holds of a subject, with where each number stands."""
    NOTICE = "NOTICE"
    """文件: an official text that rules were taken from, and what was taken."""
    GUIDE = "GUIDE"
    """指南: how something is done in an insured area."""
    NEWS = "NEWS"
    """热点动态."""


class DocumentState(StrEnum):
    """Where a document stands."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    SUPERSEDED = "SUPERSEDED"
    WITHDRAWN = "WITHDRAWN"


class DocumentEvent(StrEnum):
    """What can happen to a document."""

    PUBLISH = "PUBLISH"
    SUPERSEDE = "SUPERSEDE"
    WITHDRAW = "WITHDRAW"


_S, _E = DocumentState, DocumentEvent
DOCUMENT_STATES: StateTable[DocumentState, DocumentEvent] = StateTable(
    name="policy_document",
    title="政策文件 a policy document",
    initial=(_S.DRAFT,),
    moves={
        (_S.DRAFT, _E.PUBLISH): _S.PUBLISHED,
        (_S.PUBLISHED, _E.SUPERSEDE): _S.SUPERSEDED,
        (_S.PUBLISHED, _E.WITHDRAW): _S.WITHDRAWN,
        (_S.SUPERSEDED, _E.WITHDRAW): _S.WITHDRAWN,
    },
)


@dataclass(frozen=True)
class NewDocument:
    """A document to draft. ``region``: CN, a province or an insured area. ``topic``: of the rulebook."""

    code: str
    kind: DocumentKind
    region: str
    title: str
    issuer: str
    number: str
    published_on: date | None
    effective_from: date
    summary: str
    body: str
    topic: str = ""
    insurance: InsuranceType | None = None
    source: str = ""
    provisional: bool = False
    supersedes: str | None = None


@dataclass(frozen=True)
class DocumentView:
    """A document. ``provisional``: some number of it rests on no official text."""

    code: str
    kind: DocumentKind
    state: DocumentState
    region: str
    title: str
    issuer: str
    number: str
    published_on: date | None
    effective_from: date
    effective_until: date | None
    summary: str
    body: str
    topic: str
    insurance: str | None
    source: str
    provisional: bool
    supersedes: str | None


@dataclass(frozen=True)
class FindDocuments:
    """What somebody looks for. ``regions`` is ``None`` where every region counts."""

    text: str = ""
    regions: tuple[str, ...] | None = None
    not_regions: tuple[str, ...] = ()
    kinds: tuple[DocumentKind, ...] = ()
    past_too: bool = False


class MeansForMe(StrEnum):
    """Whether a document concerns somebody."""

    APPLIES = "APPLIES"
    OTHER_AREA = "OTHER_AREA"
    OTHER_INSURANCE = "OTHER_INSURANCE"
    NOT_YET = "NOT_YET"
    NO_LONGER = "NO_LONGER"
    NOT_INSURED = "NOT_INSURED"


@dataclass(frozen=True)
class PersonalLine:
    """What a rule says for somebody: in words, and whether it rests on no official text."""

    what: str
    where: str
    value: str
    provisional: bool


@dataclass(frozen=True)
class PolicyNotFound(Refusal):
    """There is no such document, or it is not in a state for this."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有这份政策文件，或其状态不能这样办理。"
    en = "There is no such document, or it is not in a state for this."
    next_zh = "请核对文件编号和状态。"
    next_en = "Check its code and its state."
