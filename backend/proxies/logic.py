"""Pure decisions about bindings: what may be asked for, how long it stands, what is left to spend."""

from __future__ import annotations

from datetime import date, timedelta

from backend.kernel.calendar import add_months, age_on
from backend.kernel.money import Fen
from backend.proxies.contracts import (
    OWN_CONSENT_AGE,
    BindingProblem,
    BindingState,
    ConsentKind,
    Relation,
    RequestBinding,
    Scope,
    Standing,
)

OF_CHILDREN = (Relation.CHILD, Relation.GRANDCHILD, Relation.SIBLING)


def problem(
    command: RequestBinding, delegate_age: int, owner_age: int, itself: bool, delegate_age_min: int
) -> BindingProblem | None:
    """Return what is wrong with a request, ``None`` where nothing is."""
    if itself:
        return BindingProblem.ONESELF
    if delegate_age < delegate_age_min:
        return BindingProblem.TOO_YOUNG
    if not command.scopes or len(set(command.scopes)) != len(command.scopes):
        return BindingProblem.NO_SCOPE
    if Scope.PAY in command.scopes:
        return BindingProblem.MONEY_BY_ITSELF
    if owner_age >= OWN_CONSENT_AGE:
        return None
    if command.relation not in OF_CHILDREN:
        return BindingProblem.NO_RELATION_OF_A_CHILD
    return None if command.promise else BindingProblem.NO_PROMISE


def limits_problem(
    kind: ConsentKind, limit: Fen | None, day_limit: Fen | None, highest: Fen
) -> BindingProblem | None:
    """Return what is wrong with the limits of a consent, ``None`` where nothing is."""
    if kind is not ConsentKind.PAY:
        none = (limit, day_limit) == (None, None)
        return None if none else BindingProblem.LIMITS_ARE_OF_MONEY
    if limit is None or not 0 < limit <= highest:
        return BindingProblem.NO_LIMIT
    if day_limit is not None and not limit <= day_limit <= highest:
        return BindingProblem.DAY_BELOW_PAYMENT
    return None


def runs_until(active_on: date, owner_birth: date) -> date:
    """Return the last day of a binding: a year on, or the day before a child comes of age."""
    year = add_months(active_on, 12)
    if age_on(owner_birth, active_on) >= OWN_CONSENT_AGE:
        return year
    return min(year, add_months(owner_birth, 12 * OWN_CONSENT_AGE) - timedelta(days=1))


def standing(
    state: BindingState,
    expires_on: date,
    consented_young: bool,
    owner_birth: date,
    owner_died: bool,
    owner_insured: bool,
    day: date,
) -> Standing:
    """Tell whether a binding can be used on a day.

    ``consented_young``: it was made for a child under sixteen, who has not consented themselves.
    """
    if state is not BindingState.ACTIVE:
        return Standing.NOT_ACTIVE
    if owner_died:
        return Standing.OWNER_DIED
    if consented_young and age_on(owner_birth, day) >= OWN_CONSENT_AGE:
        return Standing.OWNER_CAME_OF_AGE
    if day > expires_on:
        return Standing.RAN_OUT
    return Standing.IN_FORCE if owner_insured else Standing.OWNER_NOT_INSURED


def left_to_spend(limit: Fen | None, day_limit: Fen | None, spent_today: Fen) -> Fen:
    """Return what a delegate may still take from the owner's account now."""
    if limit is None:
        return Fen(0)
    today = limit if day_limit is None else max(0, day_limit - spent_today)
    return Fen(min(limit, today))
