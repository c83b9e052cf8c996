"""Use cases of family funds and the wallet.

Both persons are locked in the order of their ids before limits are counted, so that of two requests for
the last free place one is refused. A transfer is money in transit until the relative takes it; every way
out of transit is one entry, and the row's state says which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlmodel import col, or_, select

from backend.access.assurance import Demand
from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.identity import safety
from backend.infra import audit, rates
from backend.infra.database import Database, Unit
from backend.infra.idempotency import once
from backend.infra.queue import Due, Ending, advance, never
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal, Seconds
from backend.kernel.invariants import invariant
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as balances
from backend.ledger import service as ledger
from backend.ledger.contracts import BalanceTooSmall, EntryKind, Posting
from backend.notices.service import tell
from backend.people import queries as people
from backend.people.contracts import BenefitStatus, EnrolmentView
from backend.proxies.contracts import RelativeUnknown, TooManyBindingRequests
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook
from backend.sharing import logic, queries
from backend.sharing.contracts import (
    TRANSFER_STATES,
    DecideTransfer,
    EndShare,
    GiveShare,
    LimitShare,
    NotEnoughMoney,
    OpenWallet,
    SendMoney,
    ShareEnd,
    ShareNotFound,
    ShareView,
    SharingNotPossible,
    SharingProblem,
    TooManyShares,
    TooManyTransfers,
    TransferEvent,
    TransferNotFound,
    TransferState,
    TransferTooLarge,
    TransferView,
    WalletClosed,
    WalletNotOpen,
    WalletView,
)
from backend.sharing.model import Share, Transfer, Wallet

T = TypeVar("T")
C = TypeVar("C", GiveShare, SendMoney)
_HOUR = 3600


def give_share(unit: Unit, command: GiveShare) -> ShareView | Refusal:
    """Open one's account to a near relative; asks for a proof that money needs."""
    return _with_relative(unit, "give_share", command, ShareView, _give)


def end_share(unit: Unit, command: EndShare) -> ShareView | Refusal:
    """End a share, by either side, at once and without any proof."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    query = select(Share).where(Share.id == command.share_id).with_for_update()
    row = unit.db.exec(query).first()
    either = () if row is None else (row.giver_id, row.user_id)
    if row is None or actor.person_id not in either or row.ended_at is not None:
        return ShareNotFound()
    row.ended_at = unit.now
    row.ended_by = ShareEnd.GIVER if actor.person_id == row.giver_id else ShareEnd.USER
    unit.db.flush()
    audit.record(unit, label(actor), "share.end", f"person:{row.giver_id}", {"share": row.id})
    for person_id in either:
        tell(unit, person_id, "share_ended")
    return queries.view(unit, row)


def limit_share(unit: Unit, command: LimitShare) -> ShareView | Refusal:
    """Set what a share pays of one payment at most; whoever lets it pay more shows a proof."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    query = select(Share).where(Share.id == command.share_id).with_for_update()
    row = unit.db.exec(query).first()
    if row is None or actor.person_id != row.giver_id or row.ended_at is not None:
        return ShareNotFound()
    limit = command.limit_fen
    if limit is not None and limit <= 0:
        return SharingNotPossible(SharingProblem.AMOUNT)
    lower = limit is not None and (row.limit_fen is None or limit <= row.limit_fen)
    missing = None if lower else safety.demand(unit, actor, Demand.MONEY)
    if missing is not None:
        return missing
    row.limit_fen = limit
    unit.db.flush()
    facts = {"share": row.id, "limit_fen": limit}
    audit.record(unit, label(actor), "share.limit", f"person:{row.giver_id}", facts)
    return queries.view(unit, row)


def open_wallet(unit: Unit, command: OpenWallet) -> WalletView | Refusal:
    """Open the caller's wallet, for which basic insurance must be in force. Twice is no error."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    person_id = actor.person_id
    people.lock_person(unit, person_id)
    if unit.db.get(Wallet, person_id) is None:
        insured = people.enrolments_on(unit, person_id, local_day(unit.now))
        if not any(one.status is BenefitStatus.ACTIVE for one in insured):
            return SharingNotPossible(SharingProblem.NOT_INSURED)
        unit.db.add(Wallet(person_id=person_id, opened_at=unit.now))
        ledger.open_guarded(unit, accounts.wallet(person_id))
        ledger.open_guarded(unit, accounts.in_transit(person_id))
        unit.db.flush()
        audit.record(unit, label(actor), "wallet.open", f"person:{person_id}", {})
    try:
        return queries.wallet(unit, person_id)
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)


def send_money(unit: Unit, command: SendMoney) -> TransferView | Refusal:
    """Send account money to a relative's wallet, where it waits to be taken until the next opening."""
    return _with_relative(unit, "send_money", command, TransferView, _send)


def decide_transfer(unit: Unit, command: DecideTransfer) -> TransferView | Refusal:
    """Take or decline what was sent to the caller, or take back what the caller has sent."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    row = _locked(unit, command.transfer_id)
    if row is None:
        return TransferNotFound()
    side = row.sender_id if command.event is TransferEvent.TAKE_BACK else row.receiver_id
    lapsing = command.event is TransferEvent.LAPSE or row.due_at <= unit.now
    if side != actor.person_id or lapsing or row.state != TransferState.SENT:
        return TransferNotFound()
    if command.event is TransferEvent.RECEIVE:
        frozen = safety.frozen_refusal(unit, row.receiver_id)
        if frozen is not None:
            return frozen
    _end_transfer(unit, row, command.event, label(actor))
    return queries.transfer_view(unit, row, actor.person_id)


def expire_transfers(database: Database, ending: Ending = never) -> int:
    """Give back what no relative has taken in time; return how many transfers went back."""
    return advance(database, _UNRECEIVED, ending=ending)


def _expire(unit: Unit, transfer_id: str) -> bool:
    row = _locked(unit, transfer_id)
    if row is None or row.state != TransferState.SENT or row.due_at > unit.now:
        return False
    _end_transfer(unit, row, TransferEvent.LAPSE, "system")
    return True


_UNRECEIVED = Due(
    name="transfer.expire",
    items=lambda unit: select(Transfer.id).where(
        Transfer.state == TransferState.SENT, col(Transfer.due_at) <= unit.now
    ),
    act=_expire,
)


def take_over(unit: Unit, clerk: str, dropped_id: str, kept_id: str) -> Fen:
    """Follow the merging of two records of one person and return the wallet money that moved.

    Shares end, because they were filed from one account to one person; they are filed anew. Before: both
    records are locked and nothing of the dropped one is on its way.
    """
    open_ones = select(Share).where(
        or_(col(Share.giver_id) == dropped_id, col(Share.user_id) == dropped_id),
        col(Share.ended_at).is_(None),
    )
    for row in unit.db.exec(open_ones.order_by(col(Share.id)).with_for_update()).all():
        row.ended_at = unit.now
        row.ended_by = ShareEnd.AGENCY
        facts = {"share": row.id}
        audit.record(unit, clerk, "share.end", f"person:{row.giver_id}", facts)
        for person_id in (row.giver_id, row.user_id):
            tell(unit, person_id, "share_ended")
    left = balances.balance(unit, accounts.wallet(dropped_id), lock=True) or Fen(0)
    if left > 0:
        if unit.db.get(Wallet, kept_id) is None:
            unit.db.add(Wallet(person_id=kept_id, opened_at=unit.now))
            ledger.open_guarded(unit, accounts.wallet(kept_id))
            ledger.open_guarded(unit, accounts.in_transit(kept_id))
            unit.db.flush()
        sides = [
            Posting(accounts.wallet(dropped_id), Fen(-left)),
            Posting(accounts.wallet(kept_id), left),
        ]
        ledger.post(unit, EntryKind.MERGE, dropped_id, "档案合并", sides)
    return left


def _with_relative(
    unit: Unit,
    name: str,
    command: C,
    answer: type[T],
    act: Callable[[Unit, C, PersonActor], T | Refusal],
) -> T | Refusal:
    """Do once what names a relative; names that match nobody are counted outside of it."""
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    guesses, most = f"relative:{actor.person_id}", unit.settings.relative_guesses_per_hour
    wait = rates.wait_for(unit, guesses, most, _HOUR)
    if wait is not None:
        return TooManyBindingRequests(wait)

    def run() -> T | Refusal:
        try:
            return act(unit, command, actor)
        except RuleMissing as missing:
            return RuleNotLoaded(missing.region, missing.rule, missing.day)

    scope = f"{name}:{label(actor)}"
    outcome = once(unit, scope, command.request_id, command, (answer,), run)
    if isinstance(outcome, RelativeUnknown):
        rates.hit(unit, guesses, most, _HOUR)
    return outcome


def _give(unit: Unit, command: GiveShare, actor: PersonActor) -> ShareView | Refusal:
    relative = _relative(unit, command, actor)
    if isinstance(relative, Refusal):
        return relative
    _lock_both(unit, actor.person_id, relative)
    today, book = local_day(unit.now), rulebook()
    mine = queries.accounts_of(unit, actor.person_id)
    theirs = people.enrolments_on(unit, relative, today)
    problem = logic.share_problem(command.relation, mine, theirs, today, book)
    if problem is not None:
        return SharingNotPossible(problem)
    given = select(Share).where(Share.giver_id == actor.person_id, col(Share.ended_at).is_(None))
    held = unit.db.exec(given).all()
    if any(share.user_id == relative for share in held):
        return SharingNotPossible(SharingProblem.ALREADY)
    region = mine[0].area_code
    if command.limit_fen is not None and command.limit_fen <= 0:
        return SharingNotPossible(SharingProblem.AMOUNT)
    most = book.find(region, "family_sharing.members_max", today).count
    if len(held) >= most:
        return TooManyShares(most)
    missing = safety.demand(unit, actor, Demand.MONEY)
    if missing is not None:
        return missing
    row = Share(
        id=unit.new_id(),
        giver_id=actor.person_id,
        user_id=relative,
        relation=command.relation,
        given_at=unit.now,
        limit_fen=command.limit_fen,
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"share": row.id, "user": relative, "relation": row.relation}
    audit.record(unit, label(actor), "share.give", f"person:{actor.person_id}", facts)
    for person_id in (actor.person_id, relative):
        tell(unit, person_id, "share_given")
    return queries.view(unit, row)


def _send(unit: Unit, command: SendMoney, actor: PersonActor) -> TransferView | Refusal:
    relative = _relative(unit, command, actor)
    if isinstance(relative, Refusal):
        return relative
    sender = actor.person_id
    _lock_both(unit, sender, relative)
    rules = logic.wallet_rules(unit.settings.region, local_day(unit.now), rulebook())
    account = queries.account_of(unit, sender)
    refusal = _send_refusal(unit, command, actor, relative, rules, account)
    if refusal is not None:
        return refusal
    assert account is not None  # or it was refused
    row = Transfer(
        id=unit.new_id(),
        sender_id=sender,
        receiver_id=relative,
        enrolment_id=account.id,
        relation=command.relation,
        amount_fen=command.amount_fen,
        state=TransferState.SENT,
        sent_at=unit.now,
        due_at=logic.due_after(rules, unit.now),
    )
    unit.db.add(row)
    unit.db.flush()
    try:
        _move_money(unit, row, accounts.personal(account.id), accounts.in_transit(sender))
    except BalanceTooSmall:
        return NotEnoughMoney(balances.balance(unit, accounts.personal(account.id)) or Fen(0))
    facts = {"transfer": row.id, "amount_fen": row.amount_fen}
    audit.record(unit, label(actor), "wallet.send", f"person:{sender}", facts)
    for person_id in (sender, relative):
        tell(unit, person_id, "transfer_sent", {"amount_fen": row.amount_fen})
    return queries.transfer_view(unit, row, sender)


def _send_refusal(
    unit: Unit,
    command: SendMoney,
    actor: PersonActor,
    relative: str,
    rules: logic.WalletRules,
    account: EnrolmentView | None,
) -> Refusal | None:
    closed = logic.closed_for(rules, unit.now)
    if closed is not None:
        return WalletClosed(rules.closes, rules.opens, Seconds(int(closed.total_seconds()) + 1))
    if command.relation.value not in rules.relations:
        return SharingNotPossible(SharingProblem.RELATION)
    if command.amount_fen <= 0:
        return SharingNotPossible(SharingProblem.AMOUNT)
    if account is None:
        return SharingNotPossible(SharingProblem.NO_ACCOUNT)
    for person_id in (actor.person_id, relative):
        if unit.db.get(Wallet, person_id) is None:
            return WalletNotOpen(people.person(unit, person_id).masked_name)
    if command.amount_fen > rules.most_each_fen:
        return TransferTooLarge(rules.most_each_fen)
    if queries.sent_today(unit, actor.person_id) >= rules.per_day:
        return TooManyTransfers(rules.per_day)
    left = balances.balance(unit, accounts.personal(account.id), lock=True) or Fen(0)
    if left < command.amount_fen:
        return NotEnoughMoney(left)
    return safety.frozen_refusal(unit, actor.person_id) or safety.demand(
        unit, actor, Demand.MONEY, command.amount_fen
    )


def _relative(
    unit: Unit, command: GiveShare | SendMoney, actor: PersonActor
) -> str | RelativeUnknown | SharingNotPossible:
    if not command.promise:
        return SharingNotPossible(SharingProblem.NO_PROMISE)
    found = people.named(unit, command.relative_name, command.relative_id_number)
    if found is None:
        return RelativeUnknown()
    return SharingNotPossible(SharingProblem.ONESELF) if found == actor.person_id else found


def _lock_both(unit: Unit, one: str, other: str) -> None:
    for person_id in sorted((one, other)):
        people.lock_person(unit, person_id)


def _locked(unit: Unit, transfer_id: str) -> Transfer | None:
    """Return a transfer, locked after its sender, whose account the money may go back to."""
    found = unit.db.get(Transfer, transfer_id)
    if found is None:
        return None
    people.lock_person(unit, found.sender_id)
    query = select(Transfer).where(Transfer.id == transfer_id).with_for_update()
    return unit.db.exec(query.execution_options(populate_existing=True)).first()


def _end_transfer(unit: Unit, row: Transfer, event: TransferEvent, by: str) -> None:
    after = TRANSFER_STATES.after(TransferState(row.state), event)
    invariant(after is not None, f"a transfer that is {row.state} cannot {event}")
    row.state = after or row.state
    row.done_at = unit.now
    row.ended_because = event
    received = row.state == TransferState.RECEIVED
    to = accounts.wallet(row.receiver_id) if received else accounts.personal(row.enrolment_id)
    _move_money(unit, row, accounts.in_transit(row.sender_id), to)
    facts = {"transfer": row.id, "amount_fen": row.amount_fen}
    audit.record(unit, by, f"wallet.{event.lower()}", f"person:{row.sender_id}", facts)
    for person_id in (row.sender_id, row.receiver_id):
        told = f"transfer_{row.state.lower()}"
        tell(unit, person_id, told, {"amount_fen": row.amount_fen})


def _move_money(unit: Unit, row: Transfer, source: str, to: str) -> None:
    sides = [Posting(source, Fen(-row.amount_fen)), Posting(to, Fen(row.amount_fen))]
    ledger.post(unit, EntryKind.TRANSFER, row.id, "医保钱包转账", sides)
