"""Papers: checked by what they hold, never by their name; kept once however often they are uploaded.

A name is shown and never used as a path. A picture must open and be large enough to read; a PDF may hold
no scripts, launches or attachments as far as its plain text tells.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings

from sqlmodel import col, func, select

from backend.access.contracts import PersonActor
from backend.access.logic import label
from backend.infra import audit, rates
from backend.infra.database import Unit, insert_new
from backend.kernel.errors import Refusal
from backend.matters import queries
from backend.matters.contracts import (
    AddMaterial,
    MaterialFault,
    MaterialUnfit,
    MaterialVerdict,
    MaterialView,
    MatterNotFound,
    MatterState,
    RemoveMaterial,
)
from backend.matters.model import Material, MaterialBlob, Matter

BYTES_MAX = 10_000_000
FILES_MAX = 20
PIXELS_MIN = 300_000
PIXELS_MAX = 60_000_000
_NAME_MAX = 60
_DAY = 86_400
_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFile|OpenAction|AA|RichMedia|XFA)\b")
_UNSAFE = re.compile(r"[^\w.()（）·-]+")
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_WAITS_FOR_APPLICANT = (MatterState.DRAFT, MatterState.SUPPLEMENT)


def add_material(unit: Unit, command: AddMaterial) -> MaterialView | Refusal:
    """Keep a paper for an application that waits for its applicant."""
    row = _own(unit, command.actor, command.matter_id)
    if row is None:
        return MatterNotFound()
    kind = type_of(command.content)
    if isinstance(kind, MaterialFault):
        return MaterialUnfit(kind)
    held = select(func.count()).where(
        Material.matter_id == row.id, col(Material.removed_at).is_(None)
    )
    if int(unit.db.exec(held).one()) >= FILES_MAX:
        return MaterialUnfit(MaterialFault.TOO_MANY)
    digest = unit.vault.index(command.content.hex(), "material")
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
        sealed = unit.vault.seal_bytes(command.content, f"material:{digest}")
        insert_new(unit, MaterialBlob, [{"digest": digest, "content": sealed, "kept_at": unit.now}])
    made = Material(
        id=unit.new_id(),
        matter_id=row.id,
        requirement=command.requirement,
        digest=digest,
        name=safe_name(command.name),
        content_type=kind,
        size=len(command.content),
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


def type_of(data: bytes) -> str | MaterialFault:
    """Return what a file really is, or why it cannot be taken."""
    if not data:
        return MaterialFault.EMPTY
    if len(data) > BYTES_MAX:
        return MaterialFault.TOO_LARGE
    if data.startswith(b"%PDF-"):
        if b"%%EOF" not in data[-2048:]:
            return MaterialFault.UNREADABLE
        return MaterialFault.ACTIVE_CONTENT if _ACTIVE.search(data) else "application/pdf"
    if not (data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))):
        return MaterialFault.WRONG_TYPE
    from PIL import Image  # loaded with the first picture

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
                pixels = picture.width * picture.height
                if pixels < PIXELS_MIN:
                    return MaterialFault.TOO_SMALL_PICTURE
                if pixels > PIXELS_MAX:
                    return MaterialFault.TOO_LARGE
                picture.load()
                return _TYPES[str(picture.format)]
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return MaterialFault.UNREADABLE


def _own(unit: Unit, actor: object, matter_id: str) -> Matter | None:
    """Return an application that waits for its applicant and is the caller's, or filed by them."""
    if not isinstance(actor, PersonActor):
        return None
    query = select(Matter).where(Matter.id == matter_id).with_for_update()
    row = unit.db.exec(query).first()
    if row is None or MatterState(row.state) not in _WAITS_FOR_APPLICANT:
        return None
    return row if queries.may_file_for(unit, actor.person_id, row.person_id) else None
