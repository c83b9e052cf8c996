"""What a till wants to be paid for, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import strawberry

from backend.kernel.money import Quantity, UnitPrice
from backend.payments.contracts import BasketLine


@strawberry.input(description="A line of a basket.")
class BasketLineInput:
    """An item, how many, at which price, which packs."""

    code: str = strawberry.field(
        description="National code (med_list_codg); empty with a local code.", default=""
    )
    local_code: str = strawberry.field(
        description="The institution's own code, matched before (fixmedins_hilist_id).", default=""
    )
    quantity: Quantity = strawberry.field(
        description="Number of units (cnt); negative takes back what another line charged."
    )
    unit_price: UnitPrice = strawberry.field(description="Yuan for a unit (pric).")
    trace_codes: list[str] = strawberry.field(
        description="Trace codes 追溯码, one for each pack (drug_trac_codg).", default_factory=list
    )
    split: bool = strawberry.field(
        description="Whether a pack is sold in parts 拆零 (trdn_flag).", default=False
    )
    restriction_met: bool | None = strawberry.field(
        description="Whether the item's restricted indication fits; null: it has none.",
        default=None,
    )
    served_on: date | None = strawberry.field(
        description="Day of service within a stay; null: the last one.", default=None
    )


def basket_of(lines: Sequence[BasketLineInput]) -> tuple[BasketLine, ...]:
    """Return the lines as the payments take them."""
    return tuple(
        BasketLine(
            line.code,
            line.quantity,
            line.unit_price,
            tuple(line.trace_codes),
            line.split,
            line.local_code,
            line.restriction_met,
            line.served_on,
        )
        for line in lines
    )
