"""Refusals as GraphQL types: one documented type each, made from the domain's own class.

A refusal is written once, in the ``contracts.py`` of its domain; its GraphQL twin takes its name, its
docstring and its facts from there, so the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import strawberry

from backend.access.contracts import NotPermitted, SignInRequired
from backend.infra.idempotency import RequestKeyInvalid, RequestKeyReused
from backend.kernel.errors import Locale, Refusal, Retry, Seconds
from backend.kernel.money import Fen
from mobile_bff import wording as _wording  # registers the enums first
from mobile_bff.scalars import Money, money

__all__ = ["KEYED", "UserError", "answer", "result_union"]
_ = _wording

KEYED: tuple[type[Refusal], ...] = (
    SignInRequired,
    NotPermitted,
    RequestKeyReused,
    RequestKeyInvalid,
)
"""Refusals of every mutation that takes a request key."""

_TYPES: dict[type[Refusal], type[Any]] = {}
_FACTS = {
    "account_before_fen": "By the account, as the bill had it.",
    "account_now_fen": "By the account, as it would be now.",
    "action": "The action that was asked for.",
    "advice": "What to do before trying again.",
    "age": "The age from which it is possible.",
    "admitted_on": "Day of the admission.",
    "agreement": "State of the agreement.",
    "area": "The insured area concerned.",
    "asked_fen": "What it would be.",
    "asked_for": "The purpose that was asked for.",
    "attempts_left": "How many attempts are left for this code.",
    "authority": "Who can say whose code it is.",
    "binding_id": "The binding that there is.",
    "cash_fen": "The cash of the bill.",
    "cash_before_fen": "Cash as the bill had it.",
    "cash_now_fen": "Cash as it would be now.",
    "closes": "From which hour of the day nothing is taken.",
    "codes": "The codes concerned.",
    "confirm_above_fen": "The limit that the patient set.",
    "cancel_by": "Until when it could be cancelled.",
    "count": "How many there are.",
    "department": "Name of the department.",
    "minimum_age": "The lowest age.",
    "opens_at": "From when it can be booked.",
    "last_day": "The last day of it.",
    "clinic_number": "The hospital's own number of the clinic.",
    "waiting": "How many wait.",
    "disease": "The disease that was named.",
    "earliest": "The first day that is possible.",
    "expired_at": "When it expired.",
    "fund_before_fen": "By the fund, as the bill had it.",
    "fund_now_fen": "By the fund, as it would be now.",
    "frozen_at": "Since when the account is frozen.",
    "instead": "What to do meanwhile.",
    "institution": "Name of the institution.",
    "issued_for": "The purpose that the code was issued for.",
    "latest": "The last day that is possible.",
    "kind": "Which kind of code it is.",
    "left_fen": "What is left.",
    "line_numbers": "Numbers of the lines concerned, counted from 1.",
    "lines": "How many lines were sent.",
    "maximum": "The most that is allowed.",
    "maximum_fen": "The highest amount that is allowed.",
    "maximum_yuan": "The highest unit price that is allowed, in yuan.",
    "missing": "Every paper that is missing.",
    "filing_id": "The filing concerned.",
    "unlocks_on": "From which day it is possible.",
    "alert_id": "The alert that it waits for.",
    "monitor": "The rule that found it unusual.",
    "methods": "Proofs that would be enough, of those that the person can show.",
    "name": "Whose, masked.",
    "number": "Who, by the number that they sign in with.",
    "since": "Since when.",
    "opens": "From which hour of the day it is taken again.",
    "pharmacy": "Name of the pharmacy.",
    "phone": "The phone, masked.",
    "payable_fen": "What the patient would be paid.",
    "problem": "What is wrong.",
    "problems": "Everything that is wrong.",
    "invoices": "Numbers of the invoices concerned.",
    "reason": "Why.",
    "region": "Code of the region whose rule is missing.",
    "request_key": "The request key concerned.",
    "retry_after_seconds": "How many seconds to wait.",
    "reversal_id": "Id of the reversal.",
    "role": "The duty that is missing.",
    "proposed_at": "When it was proposed.",
    "rule": "The rule that is missing.",
    "service_date": "The day of service.",
    "settled_on": "The day of the settlement.",
    "settlement_ids": "Ids of the settlements in the way, the latest first.",
    "state": "State as it stands.",
    "stretches": "How many stretches are settled.",
    "total_fen": "The bill's total.",
    "trace_codes": "The trace codes concerned.",
    "until": "When it is expected to end.",
    "used_at": "When it was used.",
    "why": "Why it waits.",
}


@strawberry.interface(description="Why something was refused, and what to do next.")
class UserError:
    """What every refusal says."""

    code: str = strawberry.field(description="Machine code of the refusal.")
    message: str = strawberry.field(description="What happened, in a sentence to read out.")
    speech_text: str = strawberry.field(description="Message and next action, to read aloud.")
    next_action: str = strawberry.field(description="What to do next.")
    retry: Retry = strawberry.field(description="What a program should do.")


def refusal_type(refusal: type[Refusal]) -> type[Any]:
    """Return the GraphQL type of a refusal, the same one each time."""
    if refusal not in _TYPES:
        _TYPES[refusal] = _made_type(refusal)
    return _TYPES[refusal]


def _made_type(refusal: type[Refusal]) -> type[Any]:
    hints = get_type_hints(refusal)
    namespace: dict[str, Any] = {"__annotations__": {}, "__doc__": refusal.__doc__}
    for item in fields(refusal):
        name = _shown_name(item.name, hints[item.name])
        namespace["__annotations__"][name] = _shown_type(hints[item.name])
        namespace[name] = strawberry.field(description=_FACTS[item.name])
    made = type(refusal.__name__, (UserError,), namespace)
    description = " ".join((refusal.__doc__ or "").split())
    return strawberry.type(made, description=description)


def result_union(
    name: str, success: type[Any] | tuple[type[Any], ...], refusals: Sequence[type[Refusal]]
) -> Any:
    """Return the union of a mutation's successes and the refusals that can happen."""
    good = success if isinstance(success, tuple) else (success,)
    kinds = (*good, *(refusal_type(refusal) for refusal in dict.fromkeys(refusals)))
    names = " or ".join(kind.__strawberry_definition__.name for kind in good)
    description = f"{names}, or why not."
    return Annotated[Union[kinds], strawberry.union(name, description=description)]  # noqa: UP007


def answer(outcome: Any, locale: Locale, convert: Callable[[Any], Any]) -> Any:
    """Return a use case's outcome as the member of the result union that it is."""
    if not isinstance(outcome, Refusal):
        return convert(outcome)
    hints = get_type_hints(type(outcome))
    facts = {
        _shown_name(item.name, hints[item.name]): _shown_value(
            getattr(outcome, item.name), hints[item.name], locale
        )
        for item in fields(outcome)
    }
    message, following = outcome.message(locale), outcome.next_action(locale)
    speech = f"{message}{following}" if locale is Locale.ZH else f"{message} {following}"
    return refusal_type(type(outcome))(
        code=outcome.code(),
        message=message,
        speech_text=speech,
        next_action=following,
        retry=outcome.retry,
        **facts,
    )


def _shown_name(name: str, hint: Any) -> str:
    return name.removesuffix("_fen") if hint is Fen else name


def _shown_type(hint: Any) -> Any:
    if hint is Fen:
        return Money
    if hint is Seconds:
        return int
    if get_origin(hint) is tuple:
        return list[get_args(hint)[0]]  # type: ignore[misc]
    if hint in (str, int, date, datetime) or (isinstance(hint, type) and issubclass(hint, Enum)):
        return hint
    raise TypeError(f"no GraphQL type is known for {hint}")


def _shown_value(value: Any, hint: Any, locale: Locale) -> Any:
    if hint is Fen:
        return money(value, locale)
    return list(value) if isinstance(value, tuple) else value
