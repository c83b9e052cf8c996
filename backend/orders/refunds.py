"""退费申请: asked for from the phone, granted by the institution, both halves taken back together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, select

from backend.access.contracts import Action, SignInRequired, TerminalActor
from backend.access.logic import label
from backend.infra import audit, outbox
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.matters.logic import due_on
from backend.matters.workdays import is_workday
from backend.notices.service import tell
from backend.orders import service
from backend.orders.model import RefundRequest
from backend.orders.refund_contracts import (
    REFUND_STATES,
    AskRefund,
    DecideRefund,
    RefundNotFound,
    RefundNotPossible,
    RefundProblem,
    RefundRequestEvent,
    RefundRequestState,
    RefundView,
    WithdrawRefund,
)
from backend.payments.contracts import ReverseSettlement
from backend.payments.model import Bill
from backend.payments.service import at_till
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note
from backend.settlement import queries as settlements
from backend.settlement.case import Route
from backend.settlement.contracts import SettlementKind, SettlementView

WORDS_MAX = 200


def ask(unit: Unit, command: AskRefund) -> RefundView | Refusal:
    """Ask an institution for all of a settlement back, within some days."""
    found = settlements.settlement(unit, command.settlement_id)
    right = authorize(unit, command.actor, Action.DECIDE_BILL, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return RefundNotFound()
    return once(
        unit,
        f"ask_refund:{label(command.actor)}",
        command.request_id,
        command,
        (RefundView,),
        lambda: _ask(unit, command, found, right),
    )


def withdraw(unit: Unit, command: WithdrawRefund) -> RefundView | Refusal:
    """Think better of it."""
    found = unit.db.get(RefundRequest, command.refund_id)
    right = authorize(unit, command.actor, Action.DECIDE_BILL, found.person_id if found else "")
    if isinstance(right, SignInRequired):
        return right
    if isinstance(right, Refusal) or found is None:
        return RefundNotFound()

    def run() -> RefundView | RefundNotFound:
        row = _locked(unit, found.id)
        if row.state != RefundRequestState.ASKED:
            return RefundNotFound()
        _move(unit, row, RefundRequestEvent.WITHDRAW, label(command.actor))
        note(unit, right, command.actor, Action.DECIDE_BILL)
        return views(unit, [row])[0]

    scope = f"withdraw_refund:{label(command.actor)}"
    return once(unit, scope, command.request_id, command, (RefundView,), run)


def decide(unit: Unit, command: DecideRefund) -> RefundView | Refusal:
    """Grant a refund, which takes the settlement back whatever its day, or say why not.

    Where the settlement cannot be taken back now, the refusal says why, and the request stays.
    """
    return at_till(unit, "decide_refund", command, RefundView, _decide)


def of_person(unit: Unit, person_id: str, limit: int) -> list[RefundView]:
    """Return a person's requests, the newest first."""
    rows = unit.db.exec(
        select(RefundRequest)
        .where(RefundRequest.person_id == person_id)
        .order_by(col(RefundRequest.id).desc())
        .limit(limit)
    ).all()
    return views(unit, rows)


def to_decide(unit: Unit, institution_id: str, limit: int) -> list[RefundView]:
    """Return what an institution has to decide, the longest waiting first."""
    rows = unit.db.exec(
        select(RefundRequest)
        .where(
            RefundRequest.institution_id == institution_id,
            RefundRequest.state == RefundRequestState.ASKED,
        )
        .order_by(col(RefundRequest.due_on), col(RefundRequest.id))
        .limit(limit)
    ).all()
    return views(unit, rows)


def views(unit: Unit, rows: Sequence[RefundRequest]) -> list[RefundView]:
    """Return the views of requests."""
    places = institutions.institutions(unit, [row.institution_id for row in rows])
    held = people.prefetch(unit, [row.person_id for row in rows])
    today = local_day(unit.now)
    found = []
    for row in rows:
        settled = settlements.settlement(unit, row.settlement_id)
        invariant(settled is not None, "a refund is of a settlement")
        if settled is None:
            continue
        found.append(
            RefundView(
                id=row.id,
                state=RefundRequestState(row.state),
                settlement_id=row.settlement_id,
                reversal_id=row.reversal_id,
                payment_id=settlements.order_of(unit, row.settlement_id),
                institution=places[row.institution_id],
                person=people.person(unit, row.person_id),
                total_fen=settled.total_fen,
                fund_fen=settled.fund_fen,
                account_fen=settled.account_fen,
                cash_fen=settled.cash_fen,
                words=unit.vault.open(row.words, f"refund:{row.id}"),
                answer=unit.vault.open(row.answer, f"refund:{row.id}") if row.answer else "",
                asked_at=row.asked_at,
                due_on=row.due_on,
                overdue=row.state == RefundRequestState.ASKED and row.due_on < today,
            )
        )
    del held
    return found


def _ask(
    unit: Unit, command: AskRefund, settled: SettlementView, right: Right
) -> RefundView | RefundNotPossible:
    people.lock_person(unit, settled.person_id)
    problem = _problem(unit, settled, command.words)
    if problem is not None:
        return RefundNotPossible(problem)
    refund_id = unit.new_id()
    row = RefundRequest(
        id=refund_id,
        state=RefundRequestState.ASKED,
        settlement_id=settled.id,
        institution_id=settled.institution_id,
        person_id=settled.person_id,
        words=unit.vault.seal(command.words.strip(), f"refund:{refund_id}"),
        asked_by=label(command.actor),
        asked_at=unit.now,
        due_on=due_on(local_day(unit.now), unit.settings.refund_answer_workdays, (), is_workday),
    )
    unit.db.add(row)
    unit.db.flush()
    note(unit, right, command.actor, Action.DECIDE_BILL)
    facts = {"refund": row.id, "settlement": settled.id}
    audit.record(unit, row.asked_by, "refund.ask", f"person:{row.person_id}", facts)
    return views(unit, [row])[0]


def _problem(unit: Unit, settled: SettlementView, words: str) -> RefundProblem | None:
    if settled.kind is SettlementKind.REVERSAL or settled.reversed_by_id is not None:
        return RefundProblem.TAKEN_BACK
    if settled.route is Route.MANUAL:
        return RefundProblem.MANUAL
    if unit.db.get_one(Bill, settled.bill_id).stay_id is not None:
        return RefundProblem.STAY
    last = local_day(settled.settled_at) + timedelta(days=unit.settings.refund_days)
    if local_day(unit.now) > last:
        return RefundProblem.TOO_LATE
    if not 0 < len(words.strip()) <= WORDS_MAX:
        return RefundProblem.WORDS
    asked = select(RefundRequest.id).where(
        RefundRequest.settlement_id == settled.id,
        RefundRequest.state == RefundRequestState.ASKED,
    )
    return RefundProblem.ASKED if unit.db.exec(asked).first() is not None else None


def _decide(unit: Unit, command: DecideRefund, actor: TerminalActor) -> RefundView | Refusal:
    found = unit.db.get(RefundRequest, command.refund_id)
    if found is None or found.institution_id != actor.institution_id:
        return RefundNotFound()
    row, by = _locked(unit, found.id), label(actor)
    if row.state != RefundRequestState.ASKED:
        return RefundNotFound()
    if not command.grant and not 0 < len(command.words.strip()) <= WORDS_MAX:
        return RefundNotPossible(RefundProblem.WORDS)
    if command.grant:
        reverse = ReverseSettlement(actor, row.settlement_id, "退费申请", command.request_id)
        done = service.give_back(unit, reverse, actor)
        if isinstance(done, Refusal):
            return done
        row.reversal_id = done.id
    words = command.words.strip()[:WORDS_MAX]
    row.answer = unit.vault.seal(words, f"refund:{row.id}")
    event = RefundRequestEvent.GRANT if command.grant else RefundRequestEvent.DECLINE
    _move(unit, row, event, by)
    tell(unit, row.person_id, f"refund_{row.state.lower()}", {"refund": row.id})
    return views(unit, [row])[0]


def _locked(unit: Unit, refund_id: str) -> RefundRequest:
    people.lock_person(unit, unit.db.get_one(RefundRequest, refund_id).person_id)
    query = select(RefundRequest).where(RefundRequest.id == refund_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()


def _move(unit: Unit, row: RefundRequest, event: RefundRequestEvent, by: str) -> None:
    after = REFUND_STATES.after(RefundRequestState(row.state), event)
    invariant(after is not None, f"a refund that is {row.state} cannot {event}")
    row.state = after or row.state
    row.decided_by, row.decided_at = by, unit.now
    unit.db.flush()
    topic = f"person:{row.person_id}"
    outbox.enqueue(unit, outbox.Channel.LIVE, topic, "REFUND_CHANGED", row.id)
    audit.record(unit, by, f"refund.{event.lower()}", topic, {"refund": row.id})
