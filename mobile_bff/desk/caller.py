"""Who asks at the desk."""

from __future__ import annotations

from backend.access.contracts import StaffActor
from mobile_bff.context import Info, RefusedQuery


async def staff_of(info: Info) -> StaffActor:
    """Return the signed-in member of staff, or raise for anybody else."""
    actor = await info.context.actor()
    if not isinstance(actor, StaffActor):
        raise RefusedQuery("sign in at the desk", "UNAUTHENTICATED")
    return actor
