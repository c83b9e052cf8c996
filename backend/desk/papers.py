"""Reading a paper: whose it is, who files for them, and staff of the region."""

from __future__ import annotations

from backend.access.contracts import Actor, PersonActor, StaffActor
from backend.access.logic import label
from backend.desk.service import may_look
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.matters import materials, queries
from backend.matters.contracts import MaterialView, MatterNotFound


def read_material(
    unit: Unit, actor: Actor, material_id: str
) -> tuple[MaterialView, bytes] | Refusal:
    """Return a paper with its content. A look of staff is written down."""
    matter = queries.matter_of_material(unit, material_id)
    if matter is None:
        return MatterNotFound()
    if isinstance(actor, StaffActor):
        refusal = may_look(actor, matter)
        if refusal is not None:
            return refusal
        facts = {"matter": matter.id, "material": material_id}
        audit.record(unit, label(actor), "material.look", f"person:{matter.person_id}", facts)
    elif not isinstance(actor, PersonActor) or not queries.may_file_for(
        unit, actor.person_id, matter.person_id
    ):
        return MatterNotFound()
    found = materials.content(unit, material_id)
    return MatterNotFound() if found is None else found
