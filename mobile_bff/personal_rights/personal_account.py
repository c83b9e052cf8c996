"""C2 个人账户余额与明细: the balance and every movement."""

from __future__ import annotations

from datetime import date, datetime

import strawberry
from strawberry import relay

from backend.identity import queries as identity
from backend.infra.database import Unit
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.ledger.contracts import AccountLine, EntryKind
from backend.people import queries as people
from backend.people.contracts import AccountKind
from backend.settlement import queries as settlements
from mobile_bff.connections import connection, page_size, position
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money

MODULE = AppModule(
    "C2",
    "个人账户余额与明细",
    "个人账户",
    "Personal account",
    ModuleState.AVAILABLE,
    "可按起止日期查询收支明细，标出家人共济的支出，显示余额和是否冻结。",
)


_OF_BILLS = (EntryKind.SETTLEMENT, EntryKind.REVERSAL)


@strawberry.type(name="AccountLine", description="A movement of a personal account.")
class AccountLineType:
    """A movement as the app shows it."""

    id: strawberry.ID = strawberry.field(description="Id of the movement.")
    at: datetime = strawberry.field(description="When.")
    kind: EntryKind = strawberry.field(description="Why.")
    amount: Money = strawberry.field(description="Amount; negative when money left.")
    balance_after: Money = strawberry.field(description="Balance after it.")
    memo: str = strawberry.field(description="Where or what for.")
    settlement_id: strawberry.ID | None = strawberry.field(
        description="The settlement or reversal behind it, if there is one."
    )
    for_relative: bool = strawberry.field(
        description="Whether it paid for a relative's bill (家庭共济)."
    )


@strawberry.type(description="A personal account (个人账户).")
class PersonalAccount:
    """An account as the app shows it."""

    enrolment_id: strawberry.ID = strawberry.field(description="The enrolment it belongs to.")
    balance: Money = strawberry.field(description="Balance now (balc).")
    frozen_at: datetime | None = strawberry.field(
        description="Since when nothing can be paid from it; null: it is not frozen."
    )
    name: strawberry.Private[str]
    owner: strawberry.Private[str]

    @strawberry.field(
        description="Movements, the newest first.",
        graphql_type=relay.Connection[AccountLineType],  # type: ignore[type-var] # no node of its own
    )
    async def lines(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> object:
        """Return a page of movements, of some days if they are named, both included."""
        size, before = page_size(first), position(after)

        def read(unit: Unit) -> tuple[list[AccountLine], dict[str, str]]:
            rows = ledger.lines(unit, self.name, before, size + 1, since, until)
            bills = [row.reference for row in rows if row.kind in _OF_BILLS]
            return rows, settlements.whose(unit, bills)

        rows, whose = await info.context.door.read(read)
        locale = info.context.locale
        return connection(
            [
                (
                    int(row.id),
                    _line(row, locale, whose.get(row.reference) not in (None, self.owner)),
                )
                for row in rows
            ],
            size,
            after,
        )


def _line(row: AccountLine, locale: Locale, for_relative: bool) -> AccountLineType:
    return AccountLineType(
        id=strawberry.ID(row.id),
        at=row.at,
        kind=row.kind,
        amount=money(row.amount_fen, locale),
        balance_after=money(row.balance_after_fen, locale),
        memo=row.memo,
        settlement_id=(strawberry.ID(row.reference) if row.kind in _OF_BILLS else None),
        for_relative=for_relative,
    )


@strawberry.type
class AccountQueries:
    """What a person may ask about their own account."""

    subject: strawberry.Private[str]

    @strawberry.field(description="Personal accounts, one for each enrolment that has one.")
    async def accounts(self, info: Info) -> list[PersonalAccount]:
        """Return the accounts with their balances."""

        def read(unit: Unit) -> tuple[datetime | None, list[tuple[str, Fen | None]]]:
            held = people.enrolments_held(unit, self.subject, local_day(unit.now))
            return identity.safety(unit, self.subject).frozen_at, [
                (e.id, ledger.balance(unit, accounts.personal(e.id)))
                for e in held
                if e.account_kind is AccountKind.COMBINED
            ]

        frozen_at, held = await info.context.door.read(read)

        return [
            PersonalAccount(
                enrolment_id=strawberry.ID(enrolment_id),
                balance=money(balance, info.context.locale),
                frozen_at=frozen_at,
                name=accounts.personal(enrolment_id),
                owner=self.subject,
            )
            for enrolment_id, balance in held
            if balance is not None
        ]
