"""Due process of debts: reminders, notices, objections, their answers, and the default list."""

from __future__ import annotations

from datetime import date

from sqlmodel import col, select

from backend.access.contracts import Action, SignInRequired
from backend.access.logic import label
from backend.credit import logic, queries, service
from backend.credit.contracts import (
    DebtWordsMissing,
    Instalment,
    ObjectToDebt,
    PayLaterNotFound,
    PayLaterNotPossible,
    PayLaterState,
    PayLaterView,
)
from backend.credit.model import PayLater
from backend.infra import audit
from backend.infra.database import Database, Unit
from backend.infra.idempotency import once
from backend.infra.queue import Due, Ending, advance, never
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.notices.service import tell
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note
from backend.rulebook.library import Rulebook

WORDS_MAX = 500
REMIND_DAYS = 3
_OBJECTABLE = (PayLaterState.OWING, PayLaterState.OVERDUE)


def object_to(unit: Unit, command: ObjectToDebt) -> PayLaterView | Refusal:
    """Object to a debt: nothing is listed before somebody has answered."""
    found = unit.db.get(PayLater, command.agreement_id)
    right = authorize(unit, command.actor, Action.FILE, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return PayLaterNotFound()
    return once(
        unit,
        f"object_to_debt:{label(command.actor)}",
        command.request_id,
        command,
        (PayLaterView,),
        lambda: _object(unit, command, right),
    )


def answer(
    unit: Unit, by: str, agreement_id: str, instalments: int, words: str, book: Rulebook
) -> PayLaterView | Refusal:
    """Answer an objection, with new instalments where it is right. Before: the caller may do it."""
    row = _locked(unit, agreement_id)
    if row.objected_on is None:
        return PayLaterNotFound()
    if not _says(words):
        return DebtWordsMissing()
    if instalments:
        region = queries.area_of(unit, row.id)
        done = service.extend(unit, by, row.id, instalments, region, book)
        if isinstance(done, PayLaterNotPossible):
            return done
    elif row.told_on is not None:
        row.told_on = local_day(unit.now)  # the days of grace begin anew with the answer
    row.objected_on, row.answered_by = None, by
    row.answer = unit.vault.seal(words.strip(), f"pay_later:{row.id}")
    unit.db.flush()
    tell(unit, row.person_id, "debt_answered", {"open_fen": row.debt_fen - row.paid_fen})
    facts = {"agreement": row.id, "instalments": instalments}
    audit.record(unit, by, "pay_later.answer", f"person:{row.person_id}", facts)
    return queries.opened(unit, row)


def put_on_list(
    unit: Unit, by: str, agreement_id: str, words: str, book: Rulebook
) -> PayLaterView | Refusal:
    """Put a debt on the default list, after notice, grace and answer, by who did not answer it."""
    row = _locked(unit, agreement_id)
    if not _says(words):
        return DebtWordsMissing()
    if row.answered_by == by:
        return PayLaterNotFound()
    done = service.list_default(unit, by, row.id, queries.area_of(unit, row.id), book)
    if isinstance(done, PayLaterNotPossible):
        return done
    row.answer = unit.vault.seal(words.strip(), f"pay_later:{row.id}")
    unit.db.flush()
    tell(unit, row.person_id, "debt_listed", {"open_fen": done.open_fen})
    return queries.opened(unit, row)


def notify_debtors(database: Database, ending: Ending = never) -> int:
    """Remind of instalments and notify of missed ones; return how many there were."""
    return advance(database, _INSTALMENTS, ending=ending)


def _to_notify(unit: Unit) -> list[str]:
    today = local_day(unit.now)
    rows = unit.db.exec(
        select(PayLater).where(PayLater.state == PayLaterState.OWING).order_by(col(PayLater.id))
    ).all()
    return [row.id for row in rows if _what_is_due(row, today) is not None]


def _notify(unit: Unit, agreement_id: str) -> bool:
    row = _locked(unit, agreement_id)
    today = local_day(unit.now)
    due = _what_is_due(row, today) if row.state == PayLaterState.OWING else None
    if due is None:
        return False
    if isinstance(due, Instalment):
        row.reminded = due.number
        unit.db.flush()
        facts = {"due_on": due.due_on.isoformat(), "amount_fen": due.amount_fen}
        tell(unit, row.person_id, "instalment_due", facts)
        return True
    service.tell_overdue(unit, "system", row.id)
    tell(unit, row.person_id, "instalment_missed", {"overdue_fen": due})
    return True


_INSTALMENTS = Due(name="instalment.notify", items=_to_notify, act=_notify)


def _what_is_due(row: PayLater, today: date) -> Fen | Instalment | None:
    view = queries.view(row)
    late = logic.overdue(view, today)
    if late:
        return late
    soon = logic.due_soon(view, today, REMIND_DAYS)
    return soon if soon is not None and soon.number != row.reminded else None


def _object(
    unit: Unit, command: ObjectToDebt, right: Right
) -> PayLaterView | PayLaterNotFound | DebtWordsMissing:
    row = _locked(unit, command.agreement_id)
    if row.state not in _OBJECTABLE or row.objected_on is not None:
        return PayLaterNotFound()
    if not _says(command.words):
        return DebtWordsMissing()
    row.objected_on = local_day(unit.now)
    row.objection = unit.vault.seal(command.words.strip(), f"pay_later:{row.id}")
    row.answer = ""
    unit.db.flush()
    note(unit, right, command.actor, Action.FILE)
    facts = {"agreement": row.id}
    audit.record(unit, label(command.actor), "pay_later.object", f"person:{row.person_id}", facts)
    return queries.opened(unit, row)


def _locked(unit: Unit, agreement_id: str) -> PayLater:
    people.lock_person(unit, unit.db.get_one(PayLater, agreement_id).person_id)
    query = select(PayLater).where(PayLater.id == agreement_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def _says(words: str) -> bool:
    return 0 < len(words.strip()) <= WORDS_MAX
