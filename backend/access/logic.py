"""The decision itself."""

from __future__ import annotations

from collections.abc import Collection

from backend.access.contracts import (
    Action,
    Actor,
    Anonymous,
    Duty,
    DutyMissing,
    NotPermitted,
    Operator,
    PersonActor,
    Role,
    SignInRequired,
    StaffActor,
    TerminalActor,
)

_OF_PERSON = {
    Action.VIEW_RIGHTS,
    Action.SHOW_CODE,
    Action.DECIDE_BILL,
    Action.SET_PAYMENT_RULES,
    Action.FILE,
    Action.BOOK,
}
_OF_TERMINAL = {Action.DECODE_CODE, Action.PRESENT_BILL, Action.UPLOAD_ITEMS}
_OF_OPERATOR = {Action.ANNOUNCE_OUTAGE, Action.PUBLISH_POLICY}


def may(actor: Actor, action: Action, subject: str) -> SignInRequired | NotPermitted | None:
    """Return ``None`` where the actor may do the action to the subject, else why not.

    The subject is the person's id for actions on a person, the institution's id for actions of a
    till, and empty for those of the province.
    """
    if isinstance(actor, Anonymous):
        return SignInRequired()
    if action in _OF_PERSON and isinstance(actor, PersonActor) and actor.person_id == subject:
        return None
    if (
        action in _OF_TERMINAL
        and isinstance(actor, TerminalActor)
        and actor.institution_id == subject
    ):
        return None
    if action in _OF_OPERATOR and isinstance(actor, Operator):
        return None
    return NotPermitted(action.value)


def label(actor: Actor) -> str:
    """Return the actor as the audit names it."""
    match actor:
        case PersonActor(person_id=person_id):
            return f"person:{person_id}"
        case TerminalActor(terminal_id=terminal_id, operator_id=operator_id):
            return f"terminal:{terminal_id}/{operator_id}"
        case StaffActor(number=number):
            return f"staff:{number}"
        case Operator(name=name):
            return f"operator:{name}"
        case Anonymous():
            return "anonymous"


def covers(region: str, area: str) -> bool:
    """Tell whether a region is an area or holds it; codes of GB/T 2260 end in zeros where they are wide."""
    return bool(area) and area.startswith(prefix_of(region))


def prefix_of(region: str) -> str:
    """Return what the codes of everything within a region begin with."""
    return region.removesuffix("00").removesuffix("00")


def serves(actor: Actor, role: Role, areas: Collection[str]) -> SignInRequired | DutyMissing | None:
    """Return ``None`` where a member of staff has a role for one of some areas, else why not.

    What belongs to no area, as a person who is insured nowhere, is the province's.
    """
    if not isinstance(actor, StaffActor):
        return SignInRequired()
    held = [duty.region for duty in actor.duties if duty.role is role]
    if areas:
        fits = any(covers(region, area) for region in held for area in areas)
    else:
        fits = any(is_province(region) for region in held)
    return None if fits else DutyMissing(role)


def is_province(region: str) -> bool:
    """Tell whether a code is a whole province's."""
    return region.endswith("0000")


def regions_of(duties: Collection[Duty], role: Role) -> tuple[str, ...]:
    """Return where somebody has a role."""
    return tuple(sorted(duty.region for duty in duties if duty.role is role))


def own_id(actor: Actor) -> str:
    """Return the id of the signed-in person, or nothing for anybody else."""
    return actor.person_id if isinstance(actor, PersonActor) else ""
