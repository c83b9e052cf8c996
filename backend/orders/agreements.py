"""Use cases of agreements to collect: asked for, signed with the channel, used at tills, ended.

The channel is spoken to between transactions, by ``orders.agreeing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlmodel import col, select

from backend.access.assurance import Demand
from backend.access.contracts import PersonActor, SignInRequired, TerminalActor
from backend.access.logic import label
from backend.identity import safety
from backend.infra import audit, outbox
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.infra.queue import wait_after
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.notices.service import tell
from backend.orders import queries as orders
from backend.orders.agreed import agreed
from backend.orders.agreement_contracts import (
    AGREEMENT_STATES,
    LIVE,
    REPAYMENT_STATES,
    AgreedState,
    AgreementEvent,
    AgreementNotFound,
    AgreementProblem,
    AgreementSeen,
    AgreementState,
    AgreementView,
    AskAgreement,
    CollectingNotPossible,
    CreditStanding,
    EndAgreement,
    LimitAgreement,
    NothingToCollect,
    PayAtTill,
    RepayCredit,
    RepaymentEvent,
    RepaymentSeen,
    RepaymentState,
    RepaymentView,
)
from backend.orders.contracts import ChannelName, OrderView
from backend.orders.model import CashAgreement, CreditRepayment
from backend.orders.service import number_of, open_order
from backend.payments import booking
from backend.payments.contracts import BillNotFound
from backend.payments.model import Bill
from backend.payments.service import at_till
from backend.people import queries as people

ADULT_YEARS = 18
CHANGED = "AGREEMENT_CHANGED"
CREDIT = TypeAdapter(CreditStanding)
_LEASE = timedelta(seconds=30)
_SOON = timedelta(seconds=2)
_BATCH = 20
_REMIND_DAYS = 3
_WORDS_MAX = 200


def ask(unit: Unit, command: AskAgreement) -> AgreementView | Refusal:
    """Ask a channel to collect when the caller's code is scanned; needs a proof that money needs."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    scope = f"ask_agreement:{label(actor)}"
    return once(
        unit,
        scope,
        command.request_id,
        command,
        (AgreementView,),
        lambda: _ask(unit, command, actor),
    )


def limit(unit: Unit, command: LimitAgreement) -> AgreementView | Refusal:
    """Set how much is collected at most; whoever lets more be collected shows a proof."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _own(unit, actor, command.agreement_id)
    if row is None or row.state not in LIVE:
        return AgreementNotFound()
    wanted = (command.per_payment_fen, command.per_day_fen)
    problem = _limits_problem(unit, *wanted)
    if problem is not None:
        return CollectingNotPossible(problem)
    lower = wanted[0] <= row.per_payment_fen and wanted[1] <= row.per_day_fen
    missing = None if lower else safety.demand(unit, actor, Demand.MONEY)
    if missing is not None:
        return missing
    row.per_payment_fen, row.per_day_fen = wanted
    unit.db.flush()
    facts = {"agreement": row.id, "per_payment_fen": wanted[0], "per_day_fen": wanted[1]}
    audit.record(unit, label(actor), "agreement.limit", f"person:{row.person_id}", facts)
    return view(unit, row)


def end(unit: Unit, command: EndAgreement) -> AgreementView | Refusal:
    """Let nothing be collected any more, from this moment, without any proof. Twice is no error."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _own(unit, actor, command.agreement_id)
    if row is None:
        return AgreementNotFound()
    if row.state in LIVE:
        _move(unit, row, AgreementEvent.END, "")
    return view(unit, row)


def repay(unit: Unit, command: RepayCredit) -> AgreementView | Refusal:
    """Pay back all that is open of a credit: the bank takes it from the card that it knows."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    scope = f"repay_credit:{label(actor)}"
    return once(
        unit,
        scope,
        command.request_id,
        command,
        (AgreementView,),
        lambda: _repay(unit, command, actor),
    )


def pay_at_till(unit: Unit, command: PayAtTill) -> OrderView | Refusal:
    """Pay a bill of this till in one: insurance and accounts, and the cash by the payer's agreement."""
    return at_till(unit, "pay_at_till", command, OrderView, _pay_at_till)


def of_person(unit: Unit, person_id: str) -> list[AgreementView]:
    """Return a person's latest agreements, in force or not, the newest first."""
    rows = unit.db.exec(
        select(CashAgreement)
        .where(CashAgreement.person_id == person_id)
        .order_by(col(CashAgreement.id).desc())
        .limit(_BATCH)
    ).all()
    return views(unit, rows)


def agreement(unit: Unit, agreement_id: str) -> AgreementView | None:
    """Return an agreement, or ``None``."""
    row = unit.db.get(CashAgreement, agreement_id)
    return None if row is None else view(unit, row)


def is_ours(unit: Unit, number: str) -> bool:
    """Tell whether a channel's number is that of an agreement."""
    found = select(CashAgreement.id).where(CashAgreement.number == number)
    return unit.db.exec(found).first() is not None


def wake(unit: Unit, number: str) -> None:
    """Have a channel asked now about an agreement of which it called back; what it says then counts."""
    query = select(CashAgreement).where(CashAgreement.number == number).with_for_update()
    row = unit.db.exec(query).first()
    if row is not None and row.next_at is not None:
        row.next_at = unit.now
        unit.db.flush()


def is_due(unit: Unit) -> bool:
    """Tell whether some agreement is to be looked after now."""
    query = select(CashAgreement.id).where(col(CashAgreement.next_at) <= unit.now).limit(1)
    return unit.db.exec(query).first() is not None


def take_due(unit: Unit) -> str | None:
    """Return the agreement that is due first, leased for a while; ``None`` where none is due."""
    row = unit.db.exec(
        select(CashAgreement)
        .where(col(CashAgreement.next_at) <= unit.now)
        .order_by(col(CashAgreement.next_at), col(CashAgreement.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    row.next_at = unit.now + _LEASE
    return row.id


def postpone(unit: Unit, agreement_id: str) -> None:
    """Let an agreement wait that could not be looked at, longer each time."""
    row = _locked(unit, agreement_id)
    if row.next_at is not None:
        row.next_at = unit.now + wait_after(row.tries)
        row.tries += 1
    unit.db.flush()


def note_seen(unit: Unit, agreement_id: str, said: AgreementSeen) -> AgreementState:
    """Note what the channel said of an agreement, and let follow what follows from it."""
    row = _locked(unit, agreement_id)
    if said.credit is not None:
        _warn(unit, row, said.credit)
        row.credit, row.seen_at = CREDIT.dump_python(said.credit, mode="json"), unit.now
    if said.pay and not row.pay:
        row.pay = dict(said.pay)
    event = _follows(unit, row, said)
    if event is AgreementEvent.SIGN:
        row.contract, row.signed_at, row.pay = said.contract, unit.now, {}
    if event is not None:
        _move(unit, row, event, said.words)
    else:
        row.tries += 1
        row.next_at = _next(unit, row)
    unit.db.flush()
    return AgreementState(row.state)


def note_repayment(unit: Unit, number: str, said: RepaymentSeen) -> None:
    """Note what the bank said of a repayment; what it does not know yet is asked again."""
    row = unit.db.get_one(CreditRepayment, number, with_for_update=True)
    if said.state not in (RepaymentState.DONE, RepaymentState.FAILED):
        return
    done = said.state is RepaymentState.DONE
    event = RepaymentEvent.FINISH if done else RepaymentEvent.FAIL
    after = REPAYMENT_STATES.after(RepaymentState(row.state), event)
    if after is None:
        return  # noted before
    row.state, row.words = after, said.words[:_WORDS_MAX]
    held = _locked(unit, row.agreement_id)
    held.next_at = unit.now  # the bank says how the credit stands now
    unit.db.flush()
    kind = "credit_repaid" if done else "credit_not_repaid"
    tell(unit, held.person_id, kind, {"amount_fen": row.amount_fen})
    facts = {"agreement": held.id, "amount_fen": row.amount_fen, "state": row.state}
    audit.record(unit, "channel:CREDIT", "credit.repay", f"person:{held.person_id}", facts)


def open_repayments(unit: Unit, agreement_id: str) -> Sequence[CreditRepayment]:
    """Return repayments that the bank is still to be asked about."""
    return unit.db.exec(
        select(CreditRepayment).where(
            CreditRepayment.agreement_id == agreement_id,
            CreditRepayment.state == RepaymentState.ASKED,
        )
    ).all()


def view(unit: Unit, row: CashAgreement) -> AgreementView:
    """Return the view of a row."""
    return views(unit, [row])[0]


def views(unit: Unit, rows: Sequence[CashAgreement]) -> list[AgreementView]:
    """Return the views of rows, each with its latest repayments, as many reads for one as for all."""
    paid: dict[str, list[CreditRepayment]] = {}
    for one in unit.db.exec(
        select(CreditRepayment)
        .where(col(CreditRepayment.agreement_id).in_([row.id for row in rows]))
        .order_by(col(CreditRepayment.asked_at).desc(), col(CreditRepayment.number).desc())
    ).all():
        paid.setdefault(one.agreement_id, []).append(one)
    return [_view(row, paid.get(row.id, [])[:_BATCH]) for row in rows]


def _view(row: CashAgreement, paid: Sequence[CreditRepayment]) -> AgreementView:
    return AgreementView(
        id=row.id,
        number=row.number,
        channel=ChannelName(row.channel),
        state=AgreementState(row.state),
        per_payment_fen=Fen(row.per_payment_fen),
        per_day_fen=Fen(row.per_day_fen),
        asked_at=row.asked_at,
        signed_at=row.signed_at,
        sign_until=row.sign_until,
        words=row.words,
        pay=dict(row.pay) if row.state == AgreementState.ASKED else {},
        credit=None if row.credit is None else CREDIT.validate_python(row.credit),
        seen_at=row.seen_at,
        repayments=tuple(
            RepaymentView(
                one.number, RepaymentState(one.state), Fen(one.amount_fen), one.asked_at, one.words
            )
            for one in paid
        ),
    )


def _ask(unit: Unit, command: AskAgreement, actor: PersonActor) -> AgreementView | Refusal:
    person_id = actor.person_id
    people.lock_person(unit, person_id)
    problem = _limits_problem(unit, command.per_payment_fen, command.per_day_fen)
    if command.channel is ChannelName.CREDIT and not command.consents:
        problem = AgreementProblem.CONSENT
    if people.person(unit, person_id).age < ADULT_YEARS:
        problem = AgreementProblem.CHILD
    live = select(CashAgreement.id).where(
        CashAgreement.person_id == person_id,
        CashAgreement.channel == command.channel,
        col(CashAgreement.state).in_((*LIVE, AgreementState.ENDING)),
    )
    if unit.db.exec(live).first() is not None:
        problem = AgreementProblem.ALREADY
    if problem is not None:
        return CollectingNotPossible(problem)
    missing = safety.frozen_refusal(unit, person_id) or safety.demand(unit, actor, Demand.MONEY)
    if missing is not None:
        return missing
    settings = unit.settings
    seconds = settings.agreement_sign_seconds
    if command.channel is ChannelName.CREDIT:
        seconds = settings.credit_review_seconds
    row = CashAgreement(
        id=unit.new_id(),
        number=number_of(unit, "YA"),
        person_id=person_id,
        channel=command.channel,
        state=AgreementState.ASKED,
        per_payment_fen=command.per_payment_fen,
        per_day_fen=command.per_day_fen,
        asked_at=unit.now,
        sign_until=unit.now + timedelta(seconds=seconds),
        pay={},
        next_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {
        "agreement": row.id,
        "channel": row.channel,
        "per_payment_fen": row.per_payment_fen,
        "per_day_fen": row.per_day_fen,
        "consents": command.consents,
    }
    audit.record(unit, label(actor), "agreement.ask", f"person:{person_id}", facts)
    return view(unit, row)


def _repay(unit: Unit, command: RepayCredit, actor: PersonActor) -> AgreementView | Refusal:
    row = _own(unit, actor, command.agreement_id)
    if row is None or row.channel != ChannelName.CREDIT or row.credit is None:
        return AgreementNotFound()
    if open_repayments(unit, row.id):
        return CollectingNotPossible(AgreementProblem.UNDER_WAY)
    open_fen = CREDIT.validate_python(row.credit).open_fen
    if not open_fen:
        return CollectingNotPossible(AgreementProblem.NOTHING_OPEN)
    missing = safety.demand(unit, actor, Demand.MONEY, open_fen)
    if missing is not None:
        return missing
    unit.db.add(
        CreditRepayment(
            number=number_of(unit, "YK"),
            agreement_id=row.id,
            state=RepaymentState.ASKED,
            amount_fen=open_fen,
            asked_at=unit.now,
        )
    )
    row.next_at, row.tries = unit.now, 0
    unit.db.flush()
    facts = {"agreement": row.id, "amount_fen": open_fen}
    audit.record(unit, label(actor), "credit.ask_repayment", f"person:{row.person_id}", facts)
    return view(unit, row)


def _pay_at_till(unit: Unit, command: PayAtTill, actor: TerminalActor) -> OrderView | Refusal:
    found = unit.db.get(Bill, command.bill_id)
    if found is None or found.terminal_id != actor.terminal_id or found.stay_id is not None:
        return BillNotFound()
    one = booking.ready(unit, found)
    if isinstance(one, Refusal):
        return one
    if not one.outcome.cash_fen:
        return NothingToCollect()
    payer_id = one.bill.shown_by_id or one.bill.person_id
    by = agreed(unit, payer_id, one.outcome.cash_fen, command.channels)
    if isinstance(by, Refusal):
        return by
    seconds = unit.settings.agreement_pay_seconds
    row = open_order(unit, one, payer_id, ChannelName(by.channel), seconds, by.id)
    facts = {"order": row.id, "cash_fen": row.cash_fen, "agreement": by.id}
    audit.record(unit, label(actor), "order.open", f"person:{row.person_id}", facts)
    return orders.views(unit, [row])[0]


def _follows(unit: Unit, row: CashAgreement, said: AgreementSeen) -> AgreementEvent | None:
    state = row.state
    if state == AgreementState.ASKED:
        if said.state is AgreedState.SIGNED:
            return AgreementEvent.SIGN
        if said.state in (AgreedState.DECLINED, AgreedState.ENDED):
            return AgreementEvent.DECLINE
        return AgreementEvent.LAPSE if row.sign_until <= unit.now else None
    if state == AgreementState.SIGNED and said.state in (AgreedState.ENDED, AgreedState.MISSING):
        return AgreementEvent.END_THERE
    gone = (AgreedState.ENDED, AgreedState.MISSING, AgreedState.DECLINED)
    ended = state == AgreementState.ENDING and said.state in gone
    return AgreementEvent.NOTE_END if ended else None


def _move(unit: Unit, row: CashAgreement, event: AgreementEvent, words: str) -> None:
    after = AGREEMENT_STATES.after(AgreementState(row.state), event)
    invariant(after is not None, f"an agreement that is {row.state} cannot {event}")
    row.state, row.words, row.tries = after or row.state, words[:_WORDS_MAX], 0
    if event in (AgreementEvent.END, AgreementEvent.LAPSE, AgreementEvent.END_THERE):
        row.ended_at = unit.now
    row.next_at = unit.now if row.state == AgreementState.ENDING else _next(unit, row)
    unit.db.flush()
    topic = f"person:{row.person_id}"
    outbox.enqueue(unit, outbox.Channel.LIVE, topic, CHANGED, row.id)
    audit.record(
        unit, f"agreement:{row.id}", f"agreement.{event.lower()}", topic, {"agreement": row.id}
    )
    kind = {
        AgreementEvent.SIGN: "agreement_signed",
        AgreementEvent.DECLINE: "agreement_declined",
        AgreementEvent.LAPSE: "agreement_lapsed",
        AgreementEvent.END: "agreement_ended",
        AgreementEvent.END_THERE: "agreement_ended",
    }.get(event)
    if kind is not None:
        tell(unit, row.person_id, kind, {"channel": row.channel})


def _warn(unit: Unit, row: CashAgreement, now: CreditStanding) -> None:
    """Tell who owes the bank: once when something is overdue, and once some days before each due day."""
    before = None if row.credit is None else CREDIT.validate_python(row.credit)
    if now.overdue_fen and (before is None or not before.overdue_fen):
        tell(unit, row.person_id, "credit_overdue", {"amount_fen": now.overdue_fen})
    today = local_day(unit.now)
    days = sorted({one.due_on for one in now.bills if one.open_fen and one.due_on >= today})
    soon = days[0] if days and days[0] <= today + timedelta(days=_REMIND_DAYS) else None
    if soon is not None and row.reminded_for != soon:
        row.reminded_for = soon
        amount = sum(one.open_fen for one in now.bills if one.due_on == soon)
        tell(unit, row.person_id, "credit_due", {"amount_fen": amount, "due_on": soon.isoformat()})


def _next(unit: Unit, row: CashAgreement) -> datetime | None:
    """Return when to look again: often while somebody waits, later while nothing is to be expected."""
    if row.state == AgreementState.DECLINED or (
        row.state == AgreementState.ENDED and not _owes(row)
    ):
        return None
    if row.state in (AgreementState.SIGNED, AgreementState.ENDED):
        if row.channel == ChannelName.CREDIT and open_repayments(unit, row.id):
            return unit.now + _SOON
        return unit.now + timedelta(seconds=unit.settings.agreement_look_seconds)
    return unit.now + min(timedelta(seconds=2 ** min(row.tries + 1, 9)), timedelta(minutes=5))


def _owes(row: CashAgreement) -> bool:
    """Tell whether something of a credit is to be paid back, which its end does not change."""
    return row.credit is not None and bool(CREDIT.validate_python(row.credit).open_fen)


def _limits_problem(unit: Unit, per_payment: Fen, per_day: Fen) -> AgreementProblem | None:
    most = unit.settings.agreement_day_max_yuan * 100
    fits = 0 < per_payment <= per_day <= most
    return None if fits else AgreementProblem.LIMITS


def _own(unit: Unit, actor: PersonActor, agreement_id: str) -> CashAgreement | None:
    found = unit.db.get(CashAgreement, agreement_id)
    return None if found is None or found.person_id != actor.person_id else _locked(unit, found.id)


def _locked(unit: Unit, agreement_id: str) -> CashAgreement:
    query = select(CashAgreement).where(CashAgreement.id == agreement_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).one()
