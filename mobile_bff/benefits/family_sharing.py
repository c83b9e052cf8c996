"""E3 家庭共济与医保钱包: one's own account for near relatives, and money sent to their wallets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import SignInRequired
from backend.identity.safety_contracts import AccountFrozen
from backend.infra.database import Unit
from backend.kernel.calendar import local_minute
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.proxies.contracts import Relation, RelativeUnknown, TooManyBindingRequests
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.sharing import queries, service
from backend.sharing.contracts import (
    DecideTransfer,
    EndShare,
    GiveShare,
    LimitShare,
    NotEnoughMoney,
    OpenWallet,
    SendMoney,
    ShareNotFound,
    ShareStanding,
    ShareView,
    SharingNotPossible,
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
from mobile_bff.connections import page_size
from mobile_bff.context import Info, RefusedQuery
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money, money_or_none
from mobile_bff.step_up import signed_in
from mobile_bff.wording import Status, status, words
from mobile_bff.words import Words

MODULE = AppModule(
    "E3",
    "家庭共济与医保钱包",
    "家庭共济",
    "Family sharing and wallet",
    ModuleState.AVAILABLE,
    "可办理、限额和结束共济，开通医保钱包、向近亲属转账和收取；结算时先用本人账户，再用钱包，再按备案先后用亲属账户。规则均为暂定。",
)
_DIFFERENT = Words(
    "共济是让亲属用您账户的钱付他们自己的费用，须由亲属出示本人的码；代亲属亮码、办事请用亲情账户。",
    "A share lets a relative's own bills be paid from your account when they show their own code; to show their "
    "code or act for them, use family accounts.",
)


@strawberry.type(description="An account that is opened to a near relative (家庭共济).")
class FamilyShare:
    """Whose account pays for whom."""

    share_id: strawberry.ID = strawberry.field(description="Id of the share.")
    giver_name: str = strawberry.field(description="Whose account it is, masked.")
    user_name: str = strawberry.field(description="Who may use it, masked.")
    given_by_me: bool = strawberry.field(description="Whether it is the caller's account.")
    relation: Relation = strawberry.field(description="What the user is to the giver.")
    given_at: datetime = strawberry.field(description="When it was filed.")
    standing: ShareStanding = strawberry.field(description="Whether it pays today.")
    status: Status = strawberry.field(description="The same, in words.")
    limit: Money | None = strawberry.field(
        description="The most for one payment; null: what the account has."
    )


@strawberry.type(description="An account that may pay for the caller, in this order.")
class DrawPlace:
    """A place in the order of accounts."""

    place: int = strawberry.field(description="1 is drawn on first.")
    own: bool = strawberry.field(description="Whether it is the caller's own account.")
    giver_name: str = strawberry.field(description="Whose account it is, masked.")


@strawberry.type(description="The caller's shares of both directions.")
class FamilySharing:
    """Whose money pays for whom."""

    shares: list[FamilyShare] = strawberry.field(description="Shares, in the order of filing.")
    draw_order: list[DrawPlace] = strawberry.field(
        description="Accounts that pay for the caller's own part: the own first, then as filed."
    )
    note: str = strawberry.field(description="How this differs from acting for a relative.")


@strawberry.type(description="A wallet (医保钱包).")
class Wallet:
    """What relatives have sent, and what can still be sent today."""

    open: bool = strawberry.field(description="Whether it was opened.")
    balance: Money = strawberry.field(description="What relatives have sent and was taken.")
    sends_left_today: int = strawberry.field(description="Transfers that can still be sent today.")
    most_each: Money = strawberry.field(description="The most for one transfer.")
    closed_now: bool = strawberry.field(description="Whether no transfers are taken at this hour.")
    provisional: bool = strawberry.field(
        description="Whether these rules rest on press reports and no official text."
    )


@strawberry.type(description="Money on its way between wallets.")
class WalletTransfer:
    """A transfer as one of the two sees it."""

    transfer_id: strawberry.ID = strawberry.field(description="Id of the transfer.")
    sender_name: str = strawberry.field(description="Who sent it, masked.")
    receiver_name: str = strawberry.field(description="Whom it was sent to, masked.")
    sent_by_me: bool = strawberry.field(description="Whether the caller sent it.")
    amount: Money = strawberry.field(description="How much.")
    state: TransferState = strawberry.field(description="Where it stands.")
    status: Status = strawberry.field(description="The same, in words.")
    sent_at: datetime = strawberry.field(description="When it was sent.")
    due_at: datetime = strawberry.field(description="At this it goes back unless it was taken.")
    done_at: datetime | None = strawberry.field(description="When it was taken or went back.")
    text: str = strawberry.field(description="The whole in a sentence.")
    speech_text: str = strawberry.field(description="The same, to be read out.")


@strawberry.input(description="Opens one's account to a near relative.")
class GiveShareInput:
    """To whom."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    relative_name: str = strawberry.field(description="The relative's full name.")
    relative_id_number: str = strawberry.field(description="The relative's ID number.")
    relation: Relation = strawberry.field(description="What the relative is to the caller.")
    promise: bool = strawberry.field(description="The promise that the kinship is true (承诺书).")
    limit_fen: int | None = strawberry.field(
        description="The most for one payment, in fen; null: what the account has.", default=None
    )


@strawberry.input(description="Limits what a share pays of one payment.")
class LimitShareInput:
    """Which, and how much."""

    share_id: strawberry.ID = strawberry.field(description="Id of the share.")
    limit_fen: int | None = strawberry.field(
        description="The most for one payment, in fen; null: what the account has."
    )


@strawberry.input(description="Names a share.")
class ShareInput:
    """Which one."""

    share_id: strawberry.ID = strawberry.field(description="Id of the share.")


@strawberry.input(description="Sends account money to a near relative's wallet.")
class SendMoneyInput:
    """To whom and how much."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    relative_name: str = strawberry.field(description="The relative's full name.")
    relative_id_number: str = strawberry.field(description="The relative's ID number.")
    relation: Relation = strawberry.field(description="What the relative is to the caller.")
    amount_fen: Fen = strawberry.field(description="How much.")
    promise: bool = strawberry.field(description="The promise that the kinship is true.")


@strawberry.input(description="Names a transfer.")
class TransferInput:
    """Which one."""

    transfer_id: strawberry.ID = strawberry.field(description="Id of the transfer.")


def _share(view: ShareView, person_id: str, locale: Locale) -> FamilyShare:
    return FamilyShare(
        share_id=strawberry.ID(view.id),
        giver_name=view.giver_name,
        user_name=view.user_name,
        given_by_me=view.giver_id == person_id,
        relation=view.relation,
        given_at=view.given_at,
        standing=view.standing,
        status=status(view.standing, locale),
        limit=money_or_none(view.limit_fen, locale),
    )


def _wallet(view: WalletView, locale: Locale) -> Wallet:
    return Wallet(
        open=view.open,
        balance=money(view.balance_fen, locale),
        sends_left_today=view.sends_left_today,
        most_each=money(view.most_each_fen, locale),
        closed_now=view.closed_now,
        provisional=view.provisional,
    )


def _transfer(view: TransferView, locale: Locale) -> WalletTransfer:
    amount, stands = money(view.amount_fen, locale), words(view.state).text(locale)
    due = local_minute(view.due_at)
    waits = view.state is TransferState.SENT
    if locale is Locale.ZH:
        until = f"，{due}前未收取将自动退回" if waits else ""
        text = f"{view.sender_name}转给{view.receiver_name}{amount.text}，{stands}{until}。"
    else:
        until = f" It goes back at {due} unless it is taken." if waits else ""
        text = f"{view.sender_name} to {view.receiver_name}: {amount.text}. {stands}{until}"
    return WalletTransfer(
        transfer_id=strawberry.ID(view.id),
        sender_name=view.sender_name,
        receiver_name=view.receiver_name,
        sent_by_me=view.sent_by_me,
        amount=amount,
        state=view.state,
        status=status(view.state, locale),
        sent_at=view.sent_at,
        due_at=view.due_at,
        done_at=view.done_at,
        text=text,
        speech_text=text.replace("*", ""),
    )


@strawberry.type
class SharingQueries:
    """What a person may ask about shares and the wallet; they are nobody else's to see."""

    @strawberry.field(description="Whose account pays for whom.")
    async def sharing(self, info: Info) -> FamilySharing:
        """Return shares of both directions."""
        actor, locale = await signed_in(info), info.context.locale

        def read(unit: Unit) -> tuple[list[ShareView], list[DrawPlace]]:
            order = [
                DrawPlace(
                    place=place,
                    own=purse.giver_id == actor.person_id,
                    giver_name=queries.giver_name(unit, purse),
                )
                for place, purse in enumerate(queries.purses(unit, actor.person_id), 1)
            ]
            return queries.shares_of(unit, actor.person_id), order

        views, order = await info.context.door.read(read)
        return FamilySharing(
            shares=[_share(view, actor.person_id, locale) for view in views],
            draw_order=order,
            note=_DIFFERENT.text(locale),
        )

    @strawberry.field(description="The caller's wallet.")
    async def wallet(self, info: Info) -> Wallet:
        """Return the wallet."""
        actor, locale = await signed_in(info), info.context.locale
        try:
            view = await info.context.door.read(lambda u: queries.wallet(u, actor.person_id))
        except RuleMissing as missing:
            refusal = RuleNotLoaded(missing.region, missing.rule, missing.day)
            raise RefusedQuery(refusal.message(locale), refusal.code()) from None
        return _wallet(view, locale)

    @strawberry.field(
        description="Transfers sent to and by the caller, the newest first.",
        graphql_type=list[WalletTransfer],
    )
    async def transfers(
        self, info: Info, first: int | None = None, before: strawberry.ID | None = None
    ) -> Any:
        """Return transfers; ``before`` is the id of the last one that was seen."""
        actor, locale = await signed_in(info), info.context.locale
        size = page_size(first)
        views = await info.context.door.read(
            lambda unit: queries.transfers(unit, actor.person_id, before, size)
        )
        return [_transfer(view, locale) for view in views]


_NAMED = (*KEYED, RelativeUnknown, TooManyBindingRequests, SharingNotPossible, RuleNotLoaded)


async def _decided(info: Info, transfer_id: str, event: TransferEvent) -> Any:
    outcome = await info.context.act(
        service.decide_transfer, lambda actor: DecideTransfer(actor, transfer_id, event)
    )
    locale = info.context.locale
    return answer(outcome, locale, lambda view: _transfer(view, locale))


@strawberry.type
class SharingMutations:
    """Sharing an account, and sending money."""

    @strawberry.mutation(
        description="Open one's account to a near relative; asks for a fresh proof.",
        graphql_type=result_union(
            "GiveShareResult", FamilyShare, (*_NAMED, TooManyShares, StepUpRequired)
        ),
    )
    async def give_share(self, info: Info, input: GiveShareInput) -> Any:
        """Share the account."""
        outcome = await info.context.act(
            service.give_share,
            lambda actor: GiveShare(
                actor,
                input.relative_name,
                input.relative_id_number,
                input.relation,
                input.promise,
                input.request_id,
                None if input.limit_fen is None else Fen(input.limit_fen),
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _share(view, view.giver_id, locale))

    @strawberry.mutation(
        description="Limit what a share pays of one payment; letting it pay more asks for a fresh proof.",
        graphql_type=result_union(
            "LimitShareResult",
            FamilyShare,
            (SignInRequired, ShareNotFound, SharingNotPossible, StepUpRequired),
        ),
    )
    async def limit_share(self, info: Info, input: LimitShareInput) -> Any:
        """Limit a share."""
        limit = None if input.limit_fen is None else Fen(input.limit_fen)
        outcome = await info.context.act(
            service.limit_share, lambda actor: LimitShare(actor, input.share_id, limit)
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _share(view, view.giver_id, locale))

    @strawberry.mutation(
        description="End a share, by either side, at once.",
        graphql_type=result_union("EndShareResult", FamilyShare, (SignInRequired, ShareNotFound)),
    )
    async def end_share(self, info: Info, input: ShareInput) -> Any:
        """End a share."""
        outcome = await info.context.act(
            service.end_share, lambda actor: EndShare(actor, input.share_id)
        )
        actor, locale = await info.context.actor(), info.context.locale
        me = getattr(actor, "person_id", "")
        return answer(outcome, locale, lambda view: _share(view, me, locale))

    @strawberry.mutation(
        description="Open the caller's wallet; relatives' money can reach it from then on.",
        graphql_type=result_union(
            "OpenWalletResult", Wallet, (SignInRequired, SharingNotPossible, RuleNotLoaded)
        ),
    )
    async def open_wallet(self, info: Info) -> Any:
        """Open the wallet."""
        outcome = await info.context.act(service.open_wallet, OpenWallet)
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _wallet(view, locale))

    @strawberry.mutation(
        description="Send account money to a near relative's wallet; asks for a fresh proof.",
        graphql_type=result_union(
            "SendMoneyResult",
            WalletTransfer,
            (
                *_NAMED,
                WalletClosed,
                WalletNotOpen,
                TransferTooLarge,
                TooManyTransfers,
                NotEnoughMoney,
                AccountFrozen,
                StepUpRequired,
            ),
        ),
    )
    async def send_money(self, info: Info, input: SendMoneyInput) -> Any:
        """Send money."""
        outcome = await info.context.act(
            service.send_money,
            lambda actor: SendMoney(
                actor,
                input.relative_name,
                input.relative_id_number,
                input.relation,
                input.amount_fen,
                input.promise,
                input.request_id,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: _transfer(view, locale))

    @strawberry.mutation(
        description="Take a transfer that was sent to the caller.",
        graphql_type=result_union(
            "ReceiveTransferResult",
            WalletTransfer,
            (SignInRequired, TransferNotFound, AccountFrozen),
        ),
    )
    async def receive_transfer(self, info: Info, input: TransferInput) -> Any:
        """Take the money."""
        return await _decided(info, input.transfer_id, TransferEvent.RECEIVE)

    @strawberry.mutation(
        description="Decline a transfer that was sent to the caller; the money goes back.",
        graphql_type=result_union(
            "DeclineTransferResult", WalletTransfer, (SignInRequired, TransferNotFound)
        ),
    )
    async def decline_transfer(self, info: Info, input: TransferInput) -> Any:
        """Decline the money."""
        return await _decided(info, input.transfer_id, TransferEvent.DECLINE)

    @strawberry.mutation(
        description="Take back a transfer that the relative has not taken yet.",
        graphql_type=result_union(
            "TakeBackTransferResult", WalletTransfer, (SignInRequired, TransferNotFound)
        ),
    )
    async def take_back_transfer(self, info: Info, input: TransferInput) -> Any:
        """Take the money back."""
        return await _decided(info, input.transfer_id, TransferEvent.TAKE_BACK)
