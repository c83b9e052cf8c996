"""Reads of shares, wallets and transfers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlmodel import col, func, or_, select

from backend.identity import safety
from backend.infra.database import Unit
from backend.kernel.calendar import SHANGHAI, local_day
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.people import queries as people
from backend.people.contracts import AccountKind, BenefitStatus, EnrolmentView
from backend.people.logic import paying_enrolment
from backend.proxies.contracts import Relation
from backend.rulebook.library import rulebook
from backend.sharing import logic
from backend.sharing.contracts import (
    Purse,
    ShareStanding,
    ShareView,
    TransferState,
    TransferView,
    TransitFault,
    WalletView,
)
from backend.sharing.model import Share, Transfer, Wallet


def shares_of(unit: Unit, person_id: str) -> list[ShareView]:
    """Return a person's shares of both directions that were not ended, in the order of filing."""
    rows = unit.db.exec(
        select(Share)
        .where(or_(col(Share.giver_id) == person_id, col(Share.user_id) == person_id))
        .where(col(Share.ended_at).is_(None))
        .order_by(col(Share.id))
    ).all()
    return [view(unit, row) for row in rows]


def view(unit: Unit, row: Share) -> ShareView:
    """Return the view of a share as it stands today."""
    return ShareView(
        id=row.id,
        giver_id=row.giver_id,
        user_id=row.user_id,
        giver_name=people.person(unit, row.giver_id).masked_name,
        user_name=people.person(unit, row.user_id).masked_name,
        relation=Relation(row.relation),
        given_at=row.given_at,
        standing=_standing(unit, row),
        limit_fen=None if row.limit_fen is None else Fen(row.limit_fen),
    )


def purses(unit: Unit, person_id: str) -> list[Purse]:
    """Return the accounts that may pay for a person today: the own, then relatives' as they filed."""
    own = account_of(unit, person_id)
    found = [] if own is None else [_purse(unit, person_id, own)]
    rows = unit.db.exec(
        select(Share)
        .where(Share.user_id == person_id, col(Share.ended_at).is_(None))
        .order_by(col(Share.id))
    ).all()
    for row in rows:
        if _standing(unit, row) is ShareStanding.IN_FORCE:
            account = account_of(unit, row.giver_id)
            if account is not None:
                found.append(_purse(unit, row.giver_id, account))
    return found


def paying_for(unit: Unit, person_id: str) -> tuple[tuple[str, Fen | None], ...]:
    """Return the ledger accounts that may pay for a person beside the own one, in their order.

    Each with the most that it pays of one payment, where its giver has set one.

    First what relatives have sent to the person's wallet, which is theirs; then the accounts of relatives
    who share, as they filed. A giver's frozen account takes no part.
    """
    found: list[tuple[str, Fen | None]] = []
    if unit.db.get(Wallet, person_id) is not None:
        found.append((accounts.wallet(person_id), None))
    rows = unit.db.exec(
        select(Share)
        .where(Share.user_id == person_id, col(Share.ended_at).is_(None))
        .order_by(col(Share.id))
    ).all()
    for row in rows:
        frozen = safety.frozen_refusal(unit, row.giver_id) is not None
        if frozen or _standing(unit, row) is not ShareStanding.IN_FORCE:
            continue
        account = account_of(unit, row.giver_id)
        if account is not None:
            most = None if row.limit_fen is None else Fen(row.limit_fen)
            found.append((accounts.personal(account.id), most))
    return tuple(found)


def givers(unit: Unit, parts: Sequence[tuple[str, Fen]]) -> list[tuple[str, Fen]]:
    """Return whose accounts paid, and what; what a wallet paid was the person's own."""
    prefix = accounts.personal("")
    return [
        (people.person_of_enrolment(unit, name.removeprefix(prefix)), part)
        for name, part in parts
        if part and name.startswith(prefix)
    ]


def giver_name(unit: Unit, purse: Purse) -> str:
    """Return whose account it is, masked."""
    return people.person(unit, purse.giver_id).masked_name


def accounts_of(unit: Unit, person_id: str) -> list[EnrolmentView]:
    """Return a person's enrolments that come with a personal account."""
    found = people.enrolments_on(unit, person_id, local_day(unit.now))
    return [one for one in found if one.account_kind is AccountKind.COMBINED]


def account_of(unit: Unit, person_id: str) -> EnrolmentView | None:
    """Return the enrolment whose account pays today, ``None`` where none is in force."""
    found = paying_enrolment(accounts_of(unit, person_id))
    return found if found is not None and found.status is BenefitStatus.ACTIVE else None


def wallet(unit: Unit, person_id: str) -> WalletView:
    """Return a person's wallet. Raises ``RuleMissing``."""
    rules = logic.wallet_rules(unit.settings.region, local_day(unit.now), rulebook())
    is_open = unit.db.get(Wallet, person_id) is not None
    return WalletView(
        person_id=person_id,
        open=is_open,
        balance_fen=ledger.balance(unit, accounts.wallet(person_id)) or Fen(0),
        sends_left_today=max(0, rules.per_day - sent_today(unit, person_id)),
        most_each_fen=rules.most_each_fen,
        closed_now=logic.closed_for(rules, unit.now) is not None,
        provisional=rules.provisional,
    )


def sent_today(unit: Unit, person_id: str) -> int:
    """Return how many transfers a person has sent today, those that went back included."""
    midnight = datetime.combine(local_day(unit.now), time(), SHANGHAI)
    query = select(func.count()).where(
        Transfer.sender_id == person_id,
        Transfer.sent_at >= midnight,
        Transfer.sent_at < midnight + timedelta(days=1),
    )
    return int(unit.db.exec(query).one())


def transfers(unit: Unit, person_id: str, before: str | None, limit: int) -> list[TransferView]:
    """Return what a person has sent and was sent, the newest first, below an id."""
    query = select(Transfer).where(
        or_(col(Transfer.sender_id) == person_id, col(Transfer.receiver_id) == person_id)
    )
    if before is not None:
        query = query.where(Transfer.id < before)
    rows = unit.db.exec(query.order_by(col(Transfer.id).desc()).limit(limit)).all()
    return [transfer_view(unit, row, person_id) for row in rows]


def transfer_view(unit: Unit, row: Transfer, person_id: str) -> TransferView:
    """Return a transfer as one of the two sees it."""
    return TransferView(
        id=row.id,
        sender_name=people.person(unit, row.sender_id).masked_name,
        receiver_name=people.person(unit, row.receiver_id).masked_name,
        sent_by_me=row.sender_id == person_id,
        amount_fen=Fen(row.amount_fen),
        state=TransferState(row.state),
        sent_at=row.sent_at,
        due_at=row.due_at,
        done_at=row.done_at,
    )


def has_open_transfer(unit: Unit, person_id: str) -> bool:
    """Tell whether money from or to somebody is on its way."""
    query = select(Transfer.id).where(
        or_(col(Transfer.sender_id) == person_id, col(Transfer.receiver_id) == person_id),
        Transfer.state == TransferState.SENT,
    )
    return unit.db.exec(query).first() is not None


def verify(unit: Unit) -> list[TransitFault]:
    """Return every sender whose money in transit is not what their open transfers say."""
    rows = unit.db.exec(
        select(Transfer.sender_id, func.sum(col(Transfer.amount_fen)))
        .where(Transfer.state == TransferState.SENT)
        .group_by(col(Transfer.sender_id))
    ).all()
    waiting = {sender: int(amount) for sender, amount in rows}
    faults = []
    for owner in unit.db.exec(select(Wallet.person_id).order_by(col(Wallet.person_id))).all():
        held = ledger.balance(unit, accounts.in_transit(owner)) or Fen(0)
        if held != waiting.get(owner, 0):
            faults.append(TransitFault(owner, held, Fen(waiting.get(owner, 0))))
    return faults


def _standing(unit: Unit, row: Share) -> ShareStanding:
    both = (row.giver_id, row.user_id)
    if row.ended_at is not None or any(people.died_on(unit, one) is not None for one in both):
        return ShareStanding.ENDED
    insured = people.enrolments_on(unit, row.user_id, local_day(unit.now))
    user_in = any(one.status is BenefitStatus.ACTIVE for one in insured)
    rests = account_of(unit, row.giver_id) is None or not user_in
    return ShareStanding.RESTS if rests else ShareStanding.IN_FORCE


def _purse(unit: Unit, person_id: str, account: EnrolmentView) -> Purse:
    balance = ledger.balance(unit, accounts.personal(account.id)) or Fen(0)
    return Purse(person_id, account.id, balance)
