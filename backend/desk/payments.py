"""Cash that went another way than it should, at the province's desk."""

from __future__ import annotations

from backend.access.contracts import Actor, Role, StaffActor
from backend.access.logic import is_province, label, regions_of, serves
from backend.desk.contracts import CashNotFound
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.orders import queries, reconciling, service
from backend.orders.contracts import DifferenceView, OrderView


def failed_returns(unit: Unit, actor: StaffActor, limit: int) -> list[OrderView]:
    """Return payments whose cash could not be given back, for a checker of the province."""
    return queries.failed_returns(unit, limit) if _of_province(actor) else []


def differences(unit: Unit, actor: StaffActor, limit: int) -> list[DifferenceView]:
    """Return differences with a channel's file that wait for a person, for a checker of the province."""
    return reconciling.differences(unit, limit) if _of_province(actor) else []


def retry_return(unit: Unit, actor: Actor, order_id: str) -> OrderView | Refusal:
    """Let the channel be asked anew to give cash back."""
    refusal = serves(actor, Role.CHECKER, (unit.settings.region,))
    if refusal is not None:
        return refusal
    if queries.owner_of(unit, order_id) is None:
        return CashNotFound()
    return service.try_again(unit, label(actor), order_id) or CashNotFound()


def close_difference(
    unit: Unit, actor: Actor, difference_id: str, words: str
) -> DifferenceView | Refusal:
    """Close a difference that a person has seen to, and say what became of it."""
    refusal = serves(actor, Role.CHECKER, (unit.settings.region,))
    if refusal is not None:
        return refusal
    done = reconciling.close_difference(unit, label(actor), difference_id, words)
    return CashNotFound() if done is None else done


def _of_province(actor: StaffActor) -> bool:
    return any(map(is_province, regions_of(actor.duties, Role.CHECKER)))
