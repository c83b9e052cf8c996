"""Finds the agreement by which somebody's cash may be collected now."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from backend.identity import safety
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.orders import queries
from backend.orders.agreement_contracts import AboveAgreement, AgreementState, NoAgreement
from backend.orders.contracts import ChannelName
from backend.orders.model import CashAgreement


def agreed(
    unit: Unit, payer_id: str, cash: Fen, channels: Sequence[ChannelName]
) -> CashAgreement | Refusal:
    """Return the first agreement that has room for an amount, in the order of the channels, locked."""
    frozen = safety.frozen_refusal(unit, payer_id)
    if frozen is not None:
        return frozen
    rows = unit.db.exec(
        select(CashAgreement)
        .where(
            CashAgreement.person_id == payer_id,
            CashAgreement.state == AgreementState.SIGNED,
            col(CashAgreement.channel).in_(channels),
        )
        .order_by(col(CashAgreement.id))
        .with_for_update()
    ).all()
    most = Fen(0)
    for row in sorted(rows, key=lambda row: list(channels).index(ChannelName(row.channel))):
        left = Fen(row.per_day_fen - queries.collected_today(unit, row.id))
        room = Fen(max(0, min(row.per_payment_fen, left)))
        if cash <= room:
            return row
        most = max(most, room)
    return AboveAgreement(cash, most) if rows else NoAgreement()
