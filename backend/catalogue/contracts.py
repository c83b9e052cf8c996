"""Catalogue items as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal
from backend.kernel.money import UnitPrice


class ItemKind(StrEnum):
    """Which of the catalogues an item stands in; materials are listed with the treatments."""

    DRUG = "DRUG"
    TREATMENT = "TREATMENT"
    FACILITY = "FACILITY"
    MATERIAL = "MATERIAL"


class ItemClass(StrEnum):
    """甲, 乙 or outside the catalogue (丙, 目录外)."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True)
class ItemView:
    """An item with the terms of one day.

    ``prepaid_share`` is a decimal rate as text (先行自付比例), ``price_limit`` the highest price of one
    unit that insurance counts, or ``None`` where there is none.
    """

    code: str
    kind: ItemKind
    name: str
    dosage_form: str
    specification: str
    unit: str
    prescription_only: bool
    item_class: ItemClass
    prepaid_share: str
    price_limit: UnitPrice | None
    effective_from: date
    illustrative: bool


@dataclass(frozen=True)
class LocalItem:
    """An item as an institution lists it itself. ``national_code`` is what it believes, if anything."""

    local_code: str
    kind: ItemKind
    name: str
    dosage_form: str
    specification: str
    maker: str
    national_code: str


@dataclass(frozen=True)
class MatchCandidate:
    """A national item that a local one may be, with its score from 0 to 100.

    ``contradicted``: a strength, a pack or the form says that it is another one.
    """

    code: str
    name: str
    dosage_form: str
    specification: str
    score: int
    contradicted: bool
    same_code: bool


@dataclass(frozen=True)
class UploadItems:
    """An institution uploads its own items, or some of them."""

    actor: Actor
    items: tuple[LocalItem, ...]
    request_id: str


@dataclass(frozen=True)
class ItemsUploaded:
    """What became of an upload, item by item."""

    items: tuple[LocalItemView, ...]


@dataclass(frozen=True)
class ItemsInvalid(Refusal):
    """The upload is empty, too long, names a code twice, or an item lacks code or name."""

    zh = "上传的目录有误：每次1到{maximum}条，本院编码和名称不能为空、不能重复。"
    en = "The list is wrong: 1 to {maximum} items, each with its own code and a name, none twice."
    next_zh = "请更正后分批上传。"
    next_en = "Correct it and upload it in parts."
    maximum: int


class MatchState(StrEnum):
    """Where a local item stands."""

    MATCHED = "MATCHED"
    """A national code is decided; bills may use the local code."""
    QUEUED = "QUEUED"
    """A person decides."""
    REFUSED = "REFUSED"
    """A person decided that no national item is meant."""


@dataclass(frozen=True)
class LocalItemView:
    """A local item as it stands, with what is proposed or decided."""

    id: str
    item: LocalItem
    state: MatchState
    code: str | None
    score: int
    decided_by: str
    decided_on: date | None
    effective_from: date | None
    candidates: tuple[MatchCandidate, ...]
