"""A person's own payment rules: changing them, and what they stop."""

from __future__ import annotations

from datetime import datetime, time

from backend.access.assurance import Demand
from backend.access.contracts import Action, PersonActor
from backend.access.logic import label, may
from backend.codes.contracts import Purpose
from backend.identity import safety
from backend.infra import audit
from backend.infra.database import Unit
from backend.kernel.calendar import SHANGHAI, local, local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.payments import logic, queries
from backend.payments.model import PaymentRule
from backend.payments.rule_contracts import (
    AccountLimitReached,
    PaymentRules,
    RulesInvalid,
    SetPaymentRules,
    SilentHours,
)
from backend.people import queries as people
from backend.proxies.authority import spending_refusal
from backend.proxies.contracts import ProxyLimitReached
from backend.settlement import queries as settlements

LIMIT_MAX = Fen(100_000_000)


def set_payment_rules(unit: Unit, command: SetPaymentRules) -> PaymentRules | Refusal:
    """Change a person's rules. They count from the next bill on; loosening one asks for a proof."""
    wanted = command.rules
    refusal = may(command.actor, Action.SET_PAYMENT_RULES, wanted.person_id)
    if refusal is not None:
        return refusal
    if not logic.rules_are_valid(wanted, LIMIT_MAX):
        return RulesInvalid(LIMIT_MAX)
    people.lock_person(unit, wanted.person_id)
    before = queries.payment_rules(unit, wanted.person_id)
    if logic.is_looser(wanted, before) and isinstance(command.actor, PersonActor):
        missing = safety.demand(unit, command.actor, Demand.STRONG)
        if missing is not None:
            return missing
    row = unit.db.get(PaymentRule, wanted.person_id) or PaymentRule(
        person_id=wanted.person_id, confirm_above_fen=0
    )
    facts = {name: value for name, value in vars(wanted).items() if name != "person_id"}
    for name, value in facts.items():
        setattr(row, name, value)
    unit.db.add(row)
    unit.db.flush()
    subject = f"person:{wanted.person_id}"
    audit.record(unit, label(command.actor), "payment_rules.set", subject, facts)
    return queries.payment_rules(unit, wanted.person_id)


def stopped(unit: Unit, rules: PaymentRules, purpose: Purpose) -> Refusal | None:
    """Return why no code of a person may serve for a purpose now: frozen, or silent hours."""
    frozen = safety.frozen_refusal(unit, rules.person_id)
    if frozen is not None or purpose is not Purpose.PHARMACY_PURCHASE:
        return frozen
    if logic.is_silent(rules, local(unit.now).time()):
        return SilentHours(rules.silent_until or "")
    return None


def account_refusal(
    unit: Unit, rules: PaymentRules, asked: Fen, shown_by_id: str | None = None
) -> AccountLimitReached | ProxyLimitReached | None:
    """Return why the account may not pay so much now, to the person or the relative who shows the code.

    Before: the person is locked.
    """
    if not asked:
        return None
    if shown_by_id is not None:
        over = spending_refusal(unit, shown_by_id, rules.person_id, asked)
        if over is not None:
            return over
    left = logic.account_left(rules, _paid_today(unit, rules))
    return None if left is None or asked <= left else AccountLimitReached(asked, left)


def _paid_today(unit: Unit, rules: PaymentRules) -> Fen:
    if rules.per_day_fen is None:
        return Fen(0)
    midnight = datetime.combine(local_day(unit.now), time.min, SHANGHAI)
    return settlements.account_paid_since(unit, rules.person_id, midnight)
