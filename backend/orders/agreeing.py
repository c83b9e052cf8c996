"""Speaks to channels about agreements: asks for them, looks whether they were signed, ends them, repays."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, cast

from backend.infra.database import Database, Unit
from backend.infra.queue import Ending, never
from backend.kernel.money import Fen
from backend.orders import agreements
from backend.orders.agreement_contracts import (
    AgreedState,
    AgreeingChannel,
    AgreementAsked,
    AgreementState,
    Applicant,
    CreditChannel,
)
from backend.orders.contracts import ChannelName
from backend.orders.driving import Channels
from backend.orders.model import CashAgreement
from backend.people import queries as people

_AGREEMENTS_MAX = 20
_log = logging.getLogger("yibao.agreements")


def agree_due(database: Database, channels: Channels, ending: Ending = never) -> int:
    """Look after agreements that are due now and return how many there were.

    Each is leased just before its channel is asked. One that fails is logged and postponed.
    """
    if not database.read(agreements.is_due):
        return 0
    for count in range(_AGREEMENTS_MAX):
        agreement_id = None if ending() else database.write(agreements.take_due)
        if agreement_id is None:
            return count
        try:
            look_after(database, channels, agreement_id)
        except Exception:
            _log.exception("agreement %s could not be looked at; tried again later", agreement_id)
            database.write(partial(agreements.postpone, agreement_id=agreement_id))
    return _AGREEMENTS_MAX


def look_after(database: Database, channels: Channels, agreement_id: str) -> None:
    """Take an agreement as far as it goes now; where nothing new is known, it is looked at later."""
    found = database.read(partial(_asked, agreement_id=agreement_id))
    if found is None:
        return
    state, name, asked, is_new = found
    channel = agreeing(channels, name)
    if channel is None:
        _log.warning("agreement %s waits for %s, which is not offered", agreement_id, name)
        return
    if name is ChannelName.CREDIT and state in (AgreementState.SIGNED, AgreementState.ENDED):
        _repay(database, cast("CreditChannel", channel), agreement_id, asked.number)
    if state is AgreementState.ENDING:
        said = channel.end_agreement(asked.number)
    elif is_new:
        said = channel.agree(asked)
    else:
        said = channel.look_at_agreement(asked.number)
        if state is AgreementState.ASKED and said.state is AgreedState.MISSING:
            said = channel.agree(asked)  # asking did not arrive: once more, by the same number
    after = database.write(lambda unit: agreements.note_seen(unit, agreement_id, said))
    if after is AgreementState.ENDING and state is not AgreementState.ENDING:
        look_after(database, channels, agreement_id)


def agreeing(channels: Channels, name: ChannelName) -> AgreeingChannel | None:
    """Return a channel that can collect by agreement, ``None`` where it is not offered or cannot."""
    found: Any = channels.get(name)
    return found if hasattr(found, "agree") else None


def _asked(
    unit: Unit, agreement_id: str
) -> tuple[AgreementState, ChannelName, AgreementAsked, bool] | None:
    row = unit.db.get(CashAgreement, agreement_id)
    if row is None or row.next_at is None:
        return None
    channel, applicant = ChannelName(row.channel), None
    if channel is ChannelName.CREDIT:
        known = people.particulars(unit, row.person_id)
        applicant = Applicant(known.name, known.id_number, known.phone)
    asked = AgreementAsked(
        row.number, Fen(row.per_payment_fen), Fen(row.per_day_fen), row.asked_at, applicant
    )
    is_new = row.state == AgreementState.ASKED and not row.tries and not row.pay
    return AgreementState(row.state), channel, asked, is_new


def _repay(database: Database, bank: CreditChannel, agreement_id: str, number: str) -> None:
    waiting = database.read(
        lambda unit: [
            (one.number, Fen(one.amount_fen))
            for one in agreements.open_repayments(unit, agreement_id)
        ]
    )
    for repayment, amount in waiting:
        said = bank.repay(number, repayment, amount)
        database.write(partial(_note, number=repayment, said=said))


def _note(unit: Unit, number: str, said: Any) -> None:
    agreements.note_repayment(unit, number, said)
