"""Paying what is owed for a stay, at the hospital's window."""

from __future__ import annotations

from backend.access.contracts import TerminalActor
from backend.access.logic import label
from backend.credit import queries, service
from backend.credit.contracts import (
    PayInstalment,
    PayLaterNotFound,
    PayLaterNotPossible,
    PayLaterView,
)
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.notices.service import tell
from backend.payments.service import at_till
from backend.people import queries as people


def pay_instalment(unit: Unit, command: PayInstalment) -> PayLaterView | Refusal:
    """Take a payment of at most what is open; who is on the default list leaves it with the last fen."""
    return at_till(unit, "pay_instalment", command, PayLaterView, _pay)


def _pay(
    unit: Unit, command: PayInstalment, actor: TerminalActor
) -> PayLaterView | PayLaterNotFound | PayLaterNotPossible:
    found = queries.agreement(unit, command.agreement_id)
    if found is None or found.institution_id != actor.institution_id:
        return PayLaterNotFound()
    people.lock_person(unit, found.person_id)
    done = service.pay(unit, label(actor), found.id, command.amount_fen)
    if isinstance(done, PayLaterNotPossible):
        return done
    facts = {"amount_fen": command.amount_fen, "open_fen": done.open_fen}
    tell(unit, done.person_id, "instalment_paid", facts)
    return queries.agreement(unit, done.id) or done
