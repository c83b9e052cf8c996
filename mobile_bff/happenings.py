"""Whatever happens to somebody's affairs, live: what it is about, and how to look at it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from enum import StrEnum

import strawberry

from backend.access.contracts import PersonActor, TerminalActor
from mobile_bff.context import Info, RefusedQuery


class Happening(StrEnum):
    """What something that happened is about."""

    BILL = "BILL"
    CHARGE = "CHARGE"
    PAYMENT = "PAYMENT"
    APPOINTMENT = "APPOINTMENT"
    PRESCRIPTION = "PRESCRIPTION"
    PAY_LATER = "PAY_LATER"
    REFUND = "REFUND"
    AGREEMENT = "AGREEMENT"
    NOTICE = "NOTICE"


_ABOUT = {
    "BILL_PRESENTED": Happening.BILL,
    "BILL_CONFIRMED": Happening.BILL,
    "BILL_REFUSED": Happening.BILL,
    "BILL_SETTLED": Happening.BILL,
    "BILL_REVERSED": Happening.BILL,
    "BILL_PARTLY_REVERSED": Happening.BILL,
    "CHARGE_PUT": Happening.CHARGE,
    "ORDER_CHANGED": Happening.PAYMENT,
    "APPOINTMENT_CHANGED": Happening.APPOINTMENT,
    "PRESCRIPTION_CHANGED": Happening.PRESCRIPTION,
    "REFUND_CHANGED": Happening.REFUND,
    "AGREEMENT_CHANGED": Happening.AGREEMENT,
    "NOTICE": Happening.NOTICE,
    "BILL_RELEASED": Happening.BILL,
    "PAY_LATER_OVERDUE": Happening.PAY_LATER,
    "PAY_LATER_LISTED": Happening.PAY_LATER,
}
"""Kinds of live events, as they are written, and what each is about."""

strawberry.enum(Happening, description="What something that happened is about.")
for _value in Happening.__strawberry_definition__.values:  # type: ignore[attr-defined]
    _value.description = {
        "BILL": "A bill: look at openBills or the bill by its id.",
        "CHARGE": "A charge that was put to the person: look at openCharges.",
        "PAYMENT": "A payment: look at payment by its id.",
        "APPOINTMENT": "An appointment or a place on a waiting list: look at appointments.",
        "PRESCRIPTION": "A prescription: look at prescriptions.",
        "PAY_LATER": "An agreement to pay later.",
        "REFUND": "A request for a refund: look at refunds.",
        "AGREEMENT": "An agreement to collect by code, or credit: look at agreements.",
        "NOTICE": "The caller was told something: look at notices.",
    }[_value.name]


@strawberry.type(name="Happened", description="Something that happened to the caller's affairs.")
class HappenedType:
    """What it is about and which; the caller looks at it as it stands now."""

    about: Happening = strawberry.field(description="What it is about.")
    object_id: strawberry.ID = strawberry.field(description="Its plain id.")


@strawberry.type
class HappeningSubscriptions:
    """What a phone or a till may follow, of any kind."""

    @strawberry.subscription(
        description="Whatever happens to the caller's affairs: a phone's or a till's own."
    )
    async def happenings(self, info: Info) -> AsyncGenerator[HappenedType, None]:
        """Yield what happens; the session is looked up again at each of them."""
        topic = _topic(await info.context.actor())
        if topic is None:
            raise RefusedQuery("sign in to follow", "UNAUTHENTICATED")
        async for kind, object_id in info.context.feed.follow(topic, info.context.connected):
            about = _ABOUT.get(kind)
            if about is None:
                continue
            if _topic(await info.context.fresh_actor()) != topic:
                raise RefusedQuery("the session has ended", "UNAUTHENTICATED")
            yield HappenedType(about=about, object_id=strawberry.ID(object_id))


def _topic(actor: object) -> str | None:
    if isinstance(actor, PersonActor):
        return f"person:{actor.person_id}"
    return f"terminal:{actor.terminal_id}" if isinstance(actor, TerminalActor) else None
