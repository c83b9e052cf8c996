"""Who may act for whom: asked by every use case that is about a person.

One's own affairs are decided by ``access`` alone. Those of a relative need a binding in force with the
scope of the action; each such act is written down and told to the owner, in the transaction of the act.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, select

from backend.access.contracts import Action, Actor, NotPermitted, PersonActor, SignInRequired
from backend.access.logic import label, may
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.money import Fen
from backend.notices.service import tell
from backend.proxies import logic, queries
from backend.proxies.contracts import SCOPE_OF, BindingView, ProxyLimitReached, Scope
from backend.proxies.model import ProxyAct


@dataclass(frozen=True)
class Right:
    """The right to an act: one's own where ``binding`` is ``None``."""

    binding: BindingView | None = None

    @property
    def delegate_id(self) -> str | None:
        """Return the relative who acts, ``None`` where it is the person."""
        return None if self.binding is None else self.binding.delegate_id


def authorize(
    unit: Unit, actor: Actor, action: Action, subject: str
) -> Right | SignInRequired | NotPermitted:
    """Return by what right somebody may do something to a person, or why not."""
    refusal = may(actor, action, subject)
    if refusal is None:
        return Right()
    scope = SCOPE_OF.get(action)
    if not isinstance(actor, PersonActor) or scope is None:
        return refusal
    found = queries.in_force(unit, actor.person_id, subject)
    return Right(found) if found is not None and scope in found.scopes else refusal


def note(unit: Unit, right: Right, actor: Actor, action: Action, amount: Fen | None = None) -> None:
    """Write down what was done for somebody else and tell them; one's own acts are not noted.

    Looking, and showing a code that is renewed each minute, are told once in a while and not each time.
    """
    binding = right.binding
    if binding is None or _told_lately(unit, binding.id, action):
        return
    unit.db.add(
        ProxyAct(
            binding_id=binding.id,
            owner_id=binding.owner_id,
            delegate_id=binding.delegate_id,
            action=action,
            at=unit.now,
            amount_fen=amount,
        )
    )
    unit.db.flush()
    facts: dict[str, object] = {"who": binding.delegate_name, "action": action.value}
    if amount is not None:
        facts["amount_fen"] = amount
    tell(unit, binding.owner_id, "relative_acted", facts)
    told = {"binding": binding.id, "action": action.value}
    audit.record(unit, label(actor), "proxy.act", f"person:{binding.owner_id}", told)


def note_spending(unit: Unit, delegate_id: str, owner_id: str, amount: Fen) -> None:
    """Write down what a delegate has taken from the owner's account, and tell the owner."""
    found = queries.in_force(unit, delegate_id, owner_id)
    if found is not None and amount:
        actor = PersonActor(delegate_id, "")
        note(unit, Right(found), actor, Action.DECIDE_BILL, amount)


def spending_refusal(
    unit: Unit, delegate_id: str, owner_id: str, asked: Fen
) -> ProxyLimitReached | None:
    """Return why a delegate may not take so much from the owner's account now."""
    if not asked or delegate_id == owner_id:
        return None
    found = queries.in_force(unit, delegate_id, owner_id)
    left = Fen(0)
    if found is not None and Scope.PAY in found.scopes:
        spent = queries.spent_today(unit, found.id)
        left = logic.left_to_spend(found.pay_limit_fen, found.pay_day_limit_fen, spent)
    return None if asked <= left else ProxyLimitReached(asked, left)


def _told_lately(unit: Unit, binding_id: str, action: Action) -> bool:
    quiet = {
        Action.VIEW_RIGHTS: unit.settings.proxy_view_notice_seconds,
        Action.SHOW_CODE: unit.settings.proxy_code_notice_seconds,
    }.get(action)
    if quiet is None:
        return False
    query = select(ProxyAct.id).where(
        ProxyAct.binding_id == binding_id,
        ProxyAct.action == action,
        col(ProxyAct.at) > unit.now - timedelta(seconds=quiet),
    )
    return unit.db.exec(query).first() is not None
