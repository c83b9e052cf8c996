"""退费申请: asked for from the phone, granted by the institution, both halves taken back together.

A part is given back by taking the whole settlement back and settling the rest anew in its place, so that
every payer pays exactly what it would have paid for the rest; what the patient's cash came by returns the
difference.
"""

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
from backend.kernel.money import Fen, Quantity
from backend.matters.logic import due_on
from backend.matters.workdays import is_workday
from backend.notices.service import tell
from backend.orders import service
from backend.orders.model import RefundRequest
from backend.orders.parts import kept_of
from backend.orders.refund_contracts import (
    REFUND_STATES,
    AskRefund,
    DecideRefund,
    NamedLine,
    PartLine,
    RefundLines,
    RefundNotFound,
    RefundNotPossible,
    RefundProblem,
    RefundRequestEvent,
    RefundRequestState,
    RefundView,
    WithdrawRefund,
)
from backend.payments.contracts import ReverseSettlement, SettlementNotFound
from backend.payments.model import Bill
from backend.payments.service import at_till
from backend.people import queries as people
from backend.proxies.authority import Right, authorize, note
from backend.settlement import queries as settlements
from backend.settlement.case import Route
from backend.settlement.contracts import Outcome, SettlementKind, SettlementView
from backend.settlement.service import Kept, packs_of, without_part

WORDS_MAX = 200


def ask(unit: Unit, command: AskRefund) -> RefundView | Refusal:
    """Ask an institution for a settlement back, or for some of its lines, within some days."""
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


def refund_lines(unit: Unit, command: RefundLines) -> RefundView | Refusal:
    """Take lines of a settlement back that nobody asked for on a phone; the rest is settled anew."""
    return at_till(unit, "refund_lines", command, RefundView, _refund_lines)


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
    origins = settlements.origins(unit, [row.settlement_id for row in rows])
    today = local_day(unit.now)
    found = []
    for row in rows:
        origin = origins[row.settlement_id]
        names = {one.number: one.name for one in origin.case.lines}
        found.append(
            RefundView(
                id=row.id,
                state=RefundRequestState(row.state),
                settlement_id=row.settlement_id,
                reversal_id=row.reversal_id,
                rest_id=row.rest_id,
                lines=tuple(
                    NamedLine(number, names[number], Quantity(quantity))
                    for number, quantity in row.lines
                ),
                payment_id=origin.order_id,
                institution=places[row.institution_id],
                person=people.person(unit, row.person_id),
                total_fen=Fen(row.total_fen),
                fund_fen=Fen(row.fund_fen),
                account_fen=Fen(row.account_fen),
                cash_fen=Fen(row.cash_fen),
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
    row = _new(unit, settled, command.lines, command.words, label(command.actor))
    if isinstance(row, RefundProblem):
        return RefundNotPossible(row)
    note(unit, right, command.actor, Action.DECIDE_BILL)
    facts = {"refund": row.id, "settlement": settled.id}
    audit.record(unit, row.asked_by, "refund.ask", f"person:{row.person_id}", facts)
    return views(unit, [row])[0]


def _new(
    unit: Unit, settled: SettlementView, lines: tuple[PartLine, ...], words: str, by: str
) -> RefundRequest | RefundProblem:
    """Write a request down, with what would come back by it."""
    problem = _problem(unit, settled, words)
    if problem is not None:
        return problem
    kept = _kept(unit, settled.id, lines)
    if isinstance(kept, RefundProblem):
        return kept
    back = list(_sums(settled))
    if kept is not None:
        rest = without_part(unit, settled.id, kept)
        back = [a - b for a, b in zip(back, _sums(rest), strict=True)]
    if min(back) < 0:
        return RefundProblem.COSTS_MORE
    refund_id = unit.new_id()
    row = RefundRequest(
        id=refund_id,
        state=RefundRequestState.ASKED,
        settlement_id=settled.id,
        institution_id=settled.institution_id,
        person_id=settled.person_id,
        lines=[] if kept is None else [[one.number, one.quantity] for one in lines],
        total_fen=back[0],
        fund_fen=back[1],
        account_fen=back[2],
        cash_fen=back[3],
        words=unit.vault.seal(words.strip(), f"refund:{refund_id}"),
        asked_by=by,
        asked_at=unit.now,
        due_on=due_on(local_day(unit.now), unit.settings.refund_answer_workdays, (), is_workday),
    )
    unit.db.add(row)
    unit.db.flush()
    return row


def _kept(
    unit: Unit,
    settlement_id: str,
    lines: Sequence[PartLine],
    packs: Sequence[str] | None = None,
) -> Kept | RefundProblem | None:
    """Return what stays of a settlement; ``None`` where all of it comes back."""
    if not lines:
        return None
    case, sold = (
        settlements.case_of_settlement(unit, settlement_id),
        packs_of(unit, settlement_id),
    )
    kept = kept_of(case, sold, lines, packs)
    return None if isinstance(kept, Kept) and not kept.lines else kept


def _sums(of: SettlementView | Outcome) -> tuple[int, int, int, int]:
    """Return the bill, and of it the funds' and hospital's, the accounts' and the patient's cash, in fen."""
    fund, accounts = of.fund_fen + of.hospital_fen, of.account_fen + of.family_fen
    return of.total_fen, fund, accounts, of.cash_fen


def _problem(unit: Unit, settled: SettlementView, words: str) -> RefundProblem | None:
    if settled.kind is SettlementKind.REVERSAL or settled.reversed_by_id is not None:
        return RefundProblem.TAKEN_BACK
    if settled.route is Route.MANUAL:
        return RefundProblem.MANUAL
    if unit.db.get_one(Bill, settled.bill_id).stay_id is not None:
        return RefundProblem.STAY
    # by the day of service: what stays of a settlement is booked later and no younger
    last = settled.service_date + timedelta(days=unit.settings.refund_days)
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
    row = _locked(unit, found.id)
    if row.state != RefundRequestState.ASKED:
        return RefundNotFound()
    if not command.grant and not 0 < len(command.words.strip()) <= WORDS_MAX:
        return RefundNotPossible(RefundProblem.WORDS)
    if command.grant:
        return _grant(unit, row, actor, command.packs, command.words, command.request_id)
    return _answer(unit, row, RefundRequestEvent.DECLINE, command.words, label(actor))


def _refund_lines(unit: Unit, command: RefundLines, actor: TerminalActor) -> RefundView | Refusal:
    settled = settlements.settlement(unit, command.settlement_id)
    if settled is None or settled.institution_id != actor.institution_id:
        return SettlementNotFound()
    people.lock_person(unit, settled.person_id)
    if not command.lines:
        return RefundNotPossible(RefundProblem.LINES)
    row = _new(unit, settled, command.lines, command.words, label(actor))
    if isinstance(row, RefundProblem):
        return RefundNotPossible(row)
    return _grant(unit, row, actor, command.packs, command.words, command.request_id)


def _grant(
    unit: Unit,
    row: RefundRequest,
    actor: TerminalActor,
    packs: Sequence[str],
    words: str,
    request_id: str,
) -> RefundView | Refusal:
    """Take a settlement back, or a part of it; a refusal leaves the rollback to the caller."""
    lines = [PartLine(number, Quantity(quantity)) for number, quantity in row.lines]
    kept = _kept(unit, row.settlement_id, lines, packs)
    if isinstance(kept, RefundProblem):
        return RefundNotPossible(kept)
    reverse = ReverseSettlement(actor, row.settlement_id, "退费申请", request_id)
    done = service.give_back(unit, reverse, actor, kept=kept)
    if isinstance(done, Refusal):
        return done
    row.reversal_id = done.id
    if kept is not None:
        rest = settlements.latest_of_bills(unit, [done.bill_id])[done.bill_id]
        back = [-a - b for a, b in zip(_sums(done), _sums(rest), strict=True)]
        if min(back) < 0:
            return RefundNotPossible(RefundProblem.COSTS_MORE)
        row.rest_id = rest.id
        row.total_fen, row.fund_fen, row.account_fen, row.cash_fen = back
    return _answer(unit, row, RefundRequestEvent.GRANT, words, label(actor))


def _answer(
    unit: Unit, row: RefundRequest, event: RefundRequestEvent, words: str, by: str
) -> RefundView:
    row.answer = unit.vault.seal(words.strip()[:WORDS_MAX], f"refund:{row.id}")
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
