"""The decision itself."""

from __future__ import annotations

from backend.access.contracts import (
    Action,
    Actor,
    Anonymous,
    NotPermitted,
    Operator,
    PersonActor,
    SignInRequired,
    TerminalActor,
)

_OF_PERSON = {
    Action.VIEW_RIGHTS,
    Action.SHOW_CODE,
    Action.DECIDE_BILL,
    Action.SET_PAYMENT_RULES,
}
_OF_TERMINAL = {Action.DECODE_CODE, Action.PRESENT_BILL, Action.UPLOAD_ITEMS}
_OF_OPERATOR = {Action.ANNOUNCE_OUTAGE}


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
        case Operator(name=name):
            return f"operator:{name}"
        case Anonymous():
            return "anonymous"


def own_id(actor: Actor) -> str:
    """Return the id of the signed-in person, or nothing for anybody else."""
    return actor.person_id if isinstance(actor, PersonActor) else ""
