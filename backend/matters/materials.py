"""Papers: checked by what they hold, never by their name; kept once however often they are uploaded.

A name is shown and never used as a path. A picture must open and be large enough to read; a PDF may hold
no scripts, launches or attachments as far as its plain text tells.

``read_file`` opens a file and takes up to seconds: the caller runs it outside of any transaction, and asks
``add_refusal`` before, so that nobody has a file opened for an application that is not theirs.
"""

from __future__ import annotations

import re
import unicodedata

from sqlmodel import col, func, select

from backend.access.contracts import Actor, PersonActor
from backend.access.logic import label
from backend.infra import audit, rates
from backend.infra.database import Unit, insert_new
from backend.infra.pictures import PictureBroken, PixelBounds, decode, parse_picture
from backend.kernel.errors import Refusal
from backend.matters import queries
from backend.matters.contracts import (
    MaterialVerdict,
    MaterialView,
    MatterNotFound,
    MatterState,
    RemoveMaterial,
)
from backend.matters.material_contracts import (
    AddMaterial,
    MaterialFault,
    MaterialFile,
    MaterialUnfit,
)
from backend.matters.model import Material, MaterialBlob, Matter

BYTES_MAX = 10_000_000
FILES_MAX = 20
PIXELS_MIN = 300_000
PIXELS = PixelBounds(by_lines=51_000_000, at_once=25_000_000)
"""A phone of 50 megapixels writes 8192 by 6144, as JPEG of one scan, which is read line by line.

25 megapixels lie in memory whole, 100 MB: more than a telephone's 24 and than A4 at 400 dots an inch.
"""
_NAME_MAX = 60
_DAY = 86_400
_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFile|OpenAction|AA|RichMedia|XFA)\b")
_ACTIVE_LENGTH_MAX = 16
_WINDOW = 1_000_000
"""Bytes that are searched at a time: other threads run in between."""
_UNSAFE = re.compile(r"[^\w.()（）·-]+")
_WAITS_FOR_APPLICANT = (MatterState.DRAFT, MatterState.SUPPLEMENT)


def add_refusal(unit: Unit, actor: Actor, matter_id: str) -> Refusal | None:
    """Return why no paper at all can be added now; ``None`` where one can. Nothing is locked or counted."""
    row = _own(unit, actor, matter_id, lock=False)
    if row is None:
        return MatterNotFound()
    return MaterialUnfit(MaterialFault.TOO_MANY) if _is_full(unit, row) else None


def add_material(unit: Unit, command: AddMaterial) -> MaterialView | Refusal:
    """Keep a paper for an application that waits for its applicant."""
    row = _own(unit, command.actor, command.matter_id)
    if row is None:
        return MatterNotFound()
    if _is_full(unit, row):
        return MaterialUnfit(MaterialFault.TOO_MANY)
    content = command.file.content
    digest = unit.vault.index(content.hex(), "material")
    known = select(Material).where(
        Material.matter_id == row.id,
        Material.digest == digest,
        Material.requirement == command.requirement,
        col(Material.removed_at).is_(None),
        col(Material.verdict).is_distinct_from(MaterialVerdict.REFUSED),
    )
    again = unit.db.exec(known).first()
    if again is not None:  # the phone lost the answer and repeats itself
        return queries.material_view(again)
    limit = unit.settings.materials_per_person_per_day
    if rates.hit(unit, f"material:{label(command.actor)}", limit, _DAY) is not None:
        return MaterialUnfit(MaterialFault.TODAY)
    if unit.db.get(MaterialBlob, digest) is None:
        sealed = unit.vault.seal_bytes(content, f"material:{digest}")
        insert_new(unit, MaterialBlob, [{"digest": digest, "content": sealed, "kept_at": unit.now}])
    made = Material(
        id=unit.new_id(),
        matter_id=row.id,
        requirement=command.requirement,
        digest=digest,
        name=safe_name(command.name),
        content_type=command.file.content_type,
        size=len(content),
        added_at=unit.now,
    )
    unit.db.add(made)
    unit.db.flush()
    facts = {"matter": row.id, "material": made.id, "requirement": made.requirement}
    audit.record(unit, label(command.actor), "material.add", f"person:{row.person_id}", facts)
    return queries.material_view(made)


def remove_material(unit: Unit, command: RemoveMaterial) -> MaterialView | MatterNotFound:
    """Take a paper out of an application that waits for its applicant. Twice is no error."""
    made = unit.db.get(Material, command.material_id)
    row = None if made is None else _own(unit, command.actor, made.matter_id)
    if made is None or row is None:
        return MatterNotFound()
    made.removed_at = made.removed_at or unit.now
    unit.db.flush()
    facts = {"matter": row.id, "material": made.id}
    audit.record(unit, label(command.actor), "material.remove", f"person:{row.person_id}", facts)
    return queries.material_view(made)


def judge(
    unit: Unit, by: str, material_id: str, verdict: MaterialVerdict, reason: str
) -> MaterialView | MatterNotFound:
    """Say of a paper whether it will do. Before: the caller has seen to whose it is."""
    made = unit.db.get(Material, material_id)
    if made is None or made.removed_at is not None:
        return MatterNotFound()
    row = unit.db.get_one(Matter, made.matter_id)
    if row.state != MatterState.SUBMITTED:
        return MatterNotFound()
    made.verdict, made.reason = verdict, reason.strip()[:200]
    unit.db.flush()
    facts = {"matter": row.id, "material": made.id, "verdict": verdict.value}
    audit.record(unit, by, "material.judge", f"person:{row.person_id}", facts)
    return queries.material_view(made)


def content(unit: Unit, material_id: str) -> tuple[MaterialView, bytes] | None:
    """Return a paper with what it holds. Before: the caller has seen to who may read it."""
    made = unit.db.get(Material, material_id)
    if made is None:
        return None
    blob = unit.db.get_one(MaterialBlob, made.digest)
    return queries.material_view(made), unit.vault.open_bytes(
        blob.content, f"material:{made.digest}"
    )


def safe_name(name: str) -> str:
    """Return a name that is only shown: no path, no control characters, not too long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    tidy = _UNSAFE.sub("_", last).strip("._") or "file"
    return tidy[-_NAME_MAX:]


def read_file(data: bytes) -> MaterialFile | MaterialUnfit:
    """Return what a file is, opened whole, or why it cannot be taken. Asks no database."""
    file = _open(data)
    return MaterialUnfit(file) if isinstance(file, MaterialFault) else file


def _open(data: bytes) -> MaterialFile | MaterialFault:
    if not data:
        return MaterialFault.EMPTY
    if len(data) > BYTES_MAX:
        return MaterialFault.TOO_LARGE
    if data.startswith(b"%PDF-"):
        return _read_pdf(data)
    if not data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return MaterialFault.WRONG_TYPE

    try:
        picture = parse_picture(data)
        if picture.pixels < PIXELS_MIN:
            return MaterialFault.TOO_SMALL_PICTURE
        if picture.exceeds(PIXELS):
            return MaterialFault.TOO_MANY_PIXELS
        decode(picture, side=1)
    except PictureBroken:
        return MaterialFault.UNREADABLE
    return MaterialFile(content=data, content_type=picture.media_type, bare=picture.bare)


def _read_pdf(data: bytes) -> MaterialFile | MaterialFault:
    if b"%%EOF" not in data[-2048:]:
        return MaterialFault.UNREADABLE
    for at in range(0, len(data), _WINDOW):
        if _ACTIVE.search(data, at, at + _WINDOW + _ACTIVE_LENGTH_MAX):
            return MaterialFault.ACTIVE_CONTENT
    return MaterialFile(content=data, content_type="application/pdf", bare=data)


def _is_full(unit: Unit, row: Matter) -> bool:
    papers = select(func.count()).where(
        Material.matter_id == row.id, col(Material.removed_at).is_(None)
    )
    return int(unit.db.exec(papers).one()) >= FILES_MAX


def _own(unit: Unit, actor: object, matter_id: str, lock: bool = True) -> Matter | None:
    """Return an application that waits for its applicant and is the caller's, or filed by them."""
    if not isinstance(actor, PersonActor):
        return None
    query = select(Matter).where(Matter.id == matter_id)
    row = unit.db.exec(query.with_for_update() if lock else query).first()
    if row is None or MatterState(row.state) not in _WAITS_FOR_APPLICANT:
        return None
    return row if queries.may_file_for(unit, actor.person_id, row.person_id) else None
