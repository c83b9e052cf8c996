"""What a registered terminal may do: sign in with its key, scan, price, settle, reverse, look up."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry
from strawberry import relay

from backend.access.contracts import SignInRequired, TerminalActor
from backend.catalogue import queries as catalogue
from backend.catalogue.contracts import MatchState
from backend.codes.contracts import (
    CodeExpired,
    CodeForOtherPurpose,
    CodeUnknown,
    CodeUnreadable,
    CodeUsed,
    CodeVoided,
    GrantNotValid,
    Purpose,
    PurposeNotHere,
)
from backend.credit.contracts import PayLaterNotPossible
from backend.identity.safety_contracts import AccountFrozen
from backend.infra.database import Unit
from backend.institutions import service as institution_service
from backend.institutions.contracts import (
    AgreementNotOpen,
    CloseTerminalSession,
    OpenTerminalSession,
    OperatorUnnamed,
    TerminalNotRegistered,
    TerminalSessionClosed,
    TerminalSessionView,
)
from backend.kernel.errors import Locale
from backend.orders import service as orders
from backend.orders.contracts import CashOnItsWay
from backend.payments import queries, service, stays
from backend.payments.contracts import (
    AlreadyReversed,
    BasketEmpty,
    BillExpired,
    BillNotFound,
    BillNotOpen,
    BillOutdated,
    BillRefused,
    BillView,
    ItemNotInCatalogue,
    ItemNotSoldHere,
    NotInsured,
    PatientMustConfirm,
    Payer,
    PayerReason,
    PayerView,
    PaymentUnderWay,
    Presettle,
    PriceInvalid,
    QuantityInvalid,
    ReversalTooLate,
    ReverseSettlement,
    ScanCode,
    ScannedCode,
    Settle,
    SettlementNotFound,
    TooManyLines,
    TraceCodesWrong,
)
from backend.payments.rule_contracts import AccountLimitReached, SilentHours
from backend.payments.stay_contracts import (
    NotEntitled,
    RefundExceedsCharge,
    StayNotFound,
    StayNotOpen,
    StretchInvalid,
)
from backend.policies.contracts import OutageNow
from backend.proxies.contracts import ProxyLimitReached
from backend.rulebook.contracts import RuleNotLoaded
from backend.settlement import queries as settlements
from backend.settlement.contracts import LaterSettlementsInTheWay, TraceCodeSold
from backend.supervision.contracts import PaymentHeld
from mobile_bff.charges import TillCharges
from mobile_bff.connections import connection, page_size, position
from mobile_bff.context import Info, RefusedQuery
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.mobile_payment.bills_and_refunds import BillType, bill_type
from mobile_bff.personal_rights.enrolments import (
    EnrolmentType,
    PersonType,
    enrolment_type,
    person_type,
)
from mobile_bff.personal_rights.settlement_records import SettlementType, settlement_type
from mobile_bff.public_services.medical_institutions import InstitutionType, institution_type
from mobile_bff.refunds import TillRefunds
from mobile_bff.scalars import Money, money_or_none
from mobile_bff.terminals.baskets import BasketLineInput, basket_of
from mobile_bff.terminals.clinics import TillClinics
from mobile_bff.terminals.debts import TillDebts
from mobile_bff.terminals.hospital import StayType, stay_type
from mobile_bff.terminals.matching import LocalItemType, local_item_type
from mobile_bff.terminals.paying import TillPayments
from mobile_bff.terminals.prescriptions import TillPrescriptions
from mobile_bff.terminals.ratings import TillRatings
from mobile_bff.terminals.statements import TillStatements
from mobile_bff.wording import words

_HERE = (*KEYED, PurposeNotHere, AgreementNotOpen, OutageNow)
_OWNER = (AccountFrozen, SilentHours)
SCAN = (
    *_HERE,
    CodeUnreadable,
    CodeUnknown,
    CodeExpired,
    CodeUsed,
    CodeVoided,
    CodeForOtherPurpose,
    *_OWNER,
)
_PRESETTLE = (
    *_HERE,
    GrantNotValid,
    NotInsured,
    BasketEmpty,
    TooManyLines,
    QuantityInvalid,
    PriceInvalid,
    ItemNotInCatalogue,
    ItemNotSoldHere,
    TraceCodesWrong,
    TraceCodeSold,
    RuleNotLoaded,
    NotEntitled,
    RefundExceedsCharge,
    StayNotFound,
    StayNotOpen,
    StretchInvalid,
    *_OWNER,
    AccountLimitReached,
    ProxyLimitReached,
)
_SETTLE = (
    *_HERE,
    BillNotFound,
    BillRefused,
    PatientMustConfirm,
    PaymentHeld,
    BillNotOpen,
    BillExpired,
    BillOutdated,
    PaymentUnderWay,
    NotInsured,
    TraceCodeSold,
    RuleNotLoaded,
    PayLaterNotPossible,
    *_OWNER,
    AccountLimitReached,
    ProxyLimitReached,
)
_REVERSE = (
    *KEYED,
    SettlementNotFound,
    AlreadyReversed,
    ReversalTooLate,
    PaymentUnderWay,
    LaterSettlementsInTheWay,
    CashOnItsWay,
    NotInsured,
    PayLaterNotPossible,
)


@strawberry.type(description="An operator's session at a terminal.")
class TerminalSession:
    """An open session; its token goes into Authorization: Bearer."""

    session_id: strawberry.ID = strawberry.field(description="Id of the session (sign_no).")
    access_token: str = strawberry.field(description="Token of the session.")
    expires_at: datetime = strawberry.field(description="Until when it is valid.")
    institution: InstitutionType = strawberry.field(description="Where the terminal stands.")
    terminal_number: str = strawberry.field(description="Registered number of the terminal.")
    operator_id: str = strawberry.field(description="Who stands at it.")


@strawberry.type(description="A terminal session that has been ended.")
class TerminalSessionEnded:
    """Its token is worthless from now on."""

    session_id: strawberry.ID = strawberry.field(description="Id of the session.")


@strawberry.type(description="Whether a payer can pay here, and why.")
class PayerOption:
    """Fund, account or cash."""

    payer: Payer = strawberry.field(description="Who.")
    usable: bool = strawberry.field(description="Whether it can pay here.")
    reason: PayerReason = strawberry.field(description="Why it can or cannot.")
    reason_text: str = strawberry.field(description="The reason in words.")
    left: Money | None = strawberry.field(description="What is left of it; null: no figure.")


@strawberry.type(description="What a scan gives a terminal.")
class DecodedCode:
    """Whom the code is about and what can pay here."""

    token: str = strawberry.field(
        description="Authority for this terminal and purpose only; pass it to presettle."
    )
    expires_at: datetime = strawberry.field(description="Until when the token works.")
    purpose: Purpose = strawberry.field(description="What it is for.")
    person: PersonType = strawberry.field(description="The patient, masked.")
    enrolments: list[EnrolmentType] = strawberry.field(description="All enrolments, today.")
    paying_enrolment_id: strawberry.ID | None = strawberry.field(
        description="The one that pays unless presettle names another; null: none."
    )
    payers: list[PayerOption] = strawberry.field(description="What can pay here and why.")


@strawberry.input(description="Opens a session for a registered terminal.")
class OpenTerminalSessionInput:
    """The terminal's proof and its operator."""

    assertion: str = strawberry.field(
        description=(
            "A JWT signed with the terminal's Ed25519 key: iss its number, aud "
            "openTerminalSession, jti used once, iat and exp at most 60 seconds apart."
        )
    )
    operator_id: str = strawberry.field(description="Operator's number (opter).")
    operator_name: str = strawberry.field(description="Operator's name (opter_name).")


@strawberry.input(description="Scans a code.")
class DecodeCodeInput:
    """A scanned text and what it is scanned for."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    code: str = strawberry.field(description="The scanned text.")
    purpose: Purpose = strawberry.field(description="What it is scanned for (businessType).")


@strawberry.input(description="Prices a basket. Nothing is booked.")
class PresettleInput:
    """A basket for the patient of a scan."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    token: str = strawberry.field(
        description="The token of the scan; empty for a stay.", default=""
    )
    lines: list[BasketLineInput] = strawberry.field(description="The basket.")
    use_account: bool = strawberry.field(
        description="Whether the patient's account may pay (acct_used_flag).", default=True
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        description="Which enrolment pays; null: the one that decodeCode named.", default=None
    )
    disease: str = strawberry.field(
        description="Listed disease (门诊慢特病) that the care is for; empty: ordinary care.",
        default="",
    )
    emergency: bool = strawberry.field(
        description="Whether it is an emergency, which counts as filed.", default=False
    )
    package: str = strawberry.field(
        description="Disease package or per-diem that pays; empty: none.", default=""
    )
    package_days: int = strawberry.field(description="Days of a per-diem.", default=0)
    stay_id: strawberry.ID | None = strawberry.field(
        description="The stay whose stretch is priced, in place of a token.", default=None
    )
    until: date | None = strawberry.field(
        description="Last day of the stretch; null: today.", default=None
    )
    discharge: bool = strawberry.field(
        description="Whether it is the last stretch of the stay.", default=False
    )
    instalments: int = strawberry.field(
        description="In how many monthly instalments a pay-later debt is paid.", default=0
    )


@strawberry.input(description="Books a bill. The terminal sends no amounts.")
class SettleInput:
    """The bill to book."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    bill_id: strawberry.ID = strawberry.field(description="The bill's plain id (billId).")


@strawberry.input(description="Takes back a settlement of the same day.")
class ReverseSettlementInput:
    """The settlement to take back and why."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    settlement_id: strawberry.ID = strawberry.field(description="Plain id (settlementId).")
    reason: str = strawberry.field(description="Why, for the patient and the audit.")


def _session(view: TerminalSessionView) -> TerminalSession:
    return TerminalSession(
        session_id=strawberry.ID(view.session_id),
        access_token=view.access_token,
        expires_at=view.expires_at,
        institution=institution_type(view.institution),
        terminal_number=view.terminal_number,
        operator_id=view.operator_id,
    )


def _payer(view: PayerView, locale: Locale) -> PayerOption:
    return PayerOption(
        payer=view.payer,
        usable=view.usable,
        reason=view.reason,
        reason_text=words(view.reason).text(locale),
        left=money_or_none(view.left_fen, locale),
    )


def decoded(scanned: ScannedCode, locale: Locale) -> DecodedCode:
    """Return a scan for the schema."""
    paying = scanned.paying_enrolment_id
    return DecodedCode(
        token=scanned.token,
        expires_at=scanned.expires_at,
        purpose=scanned.purpose,
        person=person_type(scanned.person),
        enrolments=[enrolment_type(view, locale) for view in scanned.enrolments],
        paying_enrolment_id=strawberry.ID(paying) if paying else None,
        payers=[_payer(view, locale) for view in scanned.payers],
    )


@strawberry.type
class TerminalMutations:
    """What a terminal may do."""

    @strawberry.mutation(
        description="Open a session for a terminal and its operator.",
        graphql_type=result_union(
            "OpenTerminalSessionResult",
            TerminalSession,
            (TerminalNotRegistered, OperatorUnnamed, AgreementNotOpen),
        ),
    )
    async def open_terminal_session(self, info: Info, input: OpenTerminalSessionInput) -> Any:
        """Sign a terminal in."""
        command = OpenTerminalSession(input.assertion, input.operator_id, input.operator_name)
        outcome = await info.context.door.write(
            institution_service.open_terminal_session, command, info.context.request_id
        )
        return answer(outcome, info.context.locale, _session)

    @strawberry.mutation(
        description="End the terminal's session.",
        graphql_type=result_union(
            "CloseTerminalSessionResult", TerminalSessionEnded, (SignInRequired,)
        ),
    )
    async def close_terminal_session(self, info: Info) -> Any:
        """Sign a terminal out."""
        outcome = await info.context.act(
            institution_service.close_terminal_session, CloseTerminalSession
        )

        def shown(closed: TerminalSessionClosed) -> TerminalSessionEnded:
            return TerminalSessionEnded(session_id=strawberry.ID(closed.session_id))

        return answer(outcome, info.context.locale, shown)

    @strawberry.mutation(
        description="Scan a code: it serves once, for this terminal and purpose.",
        graphql_type=result_union("DecodeCodeResult", DecodedCode, SCAN),
    )
    async def decode_code(self, info: Info, input: DecodeCodeInput) -> Any:
        """Scan a code."""
        outcome = await info.context.act(
            service.scan_code,
            lambda actor: ScanCode(actor, input.code, input.purpose, input.request_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda scanned: decoded(scanned, locale))

    @strawberry.mutation(
        description="Price a basket; repeat it freely, no money moves.",
        graphql_type=result_union("PresettleResult", BillType, _PRESETTLE),
    )
    async def presettle(self, info: Info, input: PresettleInput) -> Any:
        """Price a basket."""
        lines = basket_of(input.lines)
        outcome = await info.context.act(
            service.presettle,
            lambda actor: Presettle(
                actor,
                input.token,
                lines,
                input.use_account,
                input.enrolment_id,
                input.request_id,
                disease=input.disease,
                emergency=input.emergency,
                package=input.package,
                package_days=input.package_days,
                stay_id=input.stay_id,
                until=input.until,
                discharge=input.discharge,
                instalments=input.instalments,
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: bill_type(view, locale))

    @strawberry.mutation(
        description="Book a bill: everything, or nothing.",
        graphql_type=result_union("SettleResult", SettlementType, _SETTLE),
    )
    async def settle(self, info: Info, input: SettleInput) -> Any:
        """Book a bill."""
        outcome = await info.context.act(
            service.settle, lambda actor: Settle(actor, input.bill_id, input.request_id)
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: settlement_type(view, locale))

    @strawberry.mutation(
        description="Take back a settlement of the same day, by new entries.",
        graphql_type=result_union("ReverseSettlementResult", SettlementType, _REVERSE),
    )
    async def reverse_settlement(self, info: Info, input: ReverseSettlementInput) -> Any:
        """Reverse a settlement."""
        outcome = await info.context.act(
            orders.reverse_settlement,
            lambda actor: ReverseSettlement(
                actor, input.settlement_id, input.reason, input.request_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: settlement_type(view, locale))


@strawberry.type(description="What a terminal may look up.")
class Till(
    TillPayments,
    TillCharges,
    TillRatings,
    TillClinics,
    TillPrescriptions,
    TillDebts,
    TillRefunds,
    TillStatements,
):
    """The caller's institution."""

    @strawberry.field(description="The institution where the terminal stands.")
    async def institution(self, info: Info) -> InstitutionType:
        """Return the institution."""
        view = await info.context.institutions.load(self.actor.institution_id)
        return institution_type(view)

    @strawberry.field(description="A bill of this institution as it stands now.")
    async def bill(self, info: Info, bill_id: strawberry.ID) -> BillType | None:
        """Return a bill or nothing."""

        def read(unit: Unit) -> BillView | None:
            owner = queries.owner_of_bill(unit, bill_id)
            own = owner is not None and owner[1] == self.actor.institution_id
            return queries.bill(unit, bill_id) if own else None

        view = await info.context.door.read(read)
        return None if view is None else bill_type(view, info.context.locale)

    @strawberry.field(description="Patients in this hospital, the latest admitted first.")
    async def stays(self, info: Info, first: int | None = None) -> list[StayType]:
        """Return open stays."""
        size, locale = page_size(first), info.context.locale
        views = await info.context.door.read(
            lambda unit: stays.open_stays(unit, self.actor.institution_id, size)
        )
        return [stay_type(view, locale) for view in views]

    @strawberry.field(description="A stay in this hospital as it stands now, open or not.")
    async def stay(self, info: Info, stay_id: strawberry.ID) -> StayType | None:
        """Return a stay or nothing."""
        view = await info.context.door.read(
            lambda unit: stays.stay_at(unit, stay_id, self.actor.institution_id)
        )
        return None if view is None else stay_type(view, info.context.locale)

    @strawberry.field(description="The institution's own items, the least certain first.")
    async def local_items(
        self, info: Info, state: MatchState | None = None, first: int | None = None
    ) -> list[LocalItemType]:
        """Return local items with their matches."""
        size = page_size(first)
        views = await info.context.door.read(
            lambda unit: catalogue.local_items(unit, self.actor.institution_id, state, size)
        )
        return [local_item_type(view) for view in views]

    @strawberry.field(
        description="Settlements and reversals of this institution, the newest first.",
        graphql_type=relay.Connection[SettlementType],
    )
    async def settlements(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> object:
        """Return a page of settlements."""
        size, before = page_size(first), position(after)
        views = await info.context.door.read(
            lambda unit: settlements.of_institution(
                unit, self.actor.institution_id, before, size + 1
            )
        )
        locale = info.context.locale
        return connection(
            [(view.number, settlement_type(view, locale)) for view in views], size, after
        )


async def till(info: Info) -> Till:
    """Return the caller's till, or raise for anybody who is no terminal."""
    actor = await info.context.actor()
    if not isinstance(actor, TerminalActor):
        raise RefusedQuery(SignInRequired().message(info.context.locale), "UNAUTHENTICATED")
    return Till(actor=actor)
