"""Commands, states, views and refusals of charges that a phone takes (待缴费单)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.codes.contracts import Purpose
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen
from backend.kernel.states import StateTable
from backend.payments.contracts import BasketLine


class ChargeState(StrEnum):
    """Where a charge stands. That it is paid is its bill's to say, that it has run out the clock's."""

    OPEN = "OPEN"
    TAKEN = "TAKEN"
    """Somebody has taken it and has its bill; they may take it again while it is not paid."""
    WITHDRAWN = "WITHDRAWN"


class ChargeEvent(StrEnum):
    """What can happen to a charge."""

    TAKE = "TAKE"
    WITHDRAW = "WITHDRAW"


_S, _E = ChargeState, ChargeEvent
CHARGE_STATES: StateTable[ChargeState, ChargeEvent] = StateTable(
    name="charge",
    title="待缴费单 a charge that a phone takes",
    initial=(_S.OPEN,),
    moves={
        (_S.OPEN, _E.TAKE): _S.TAKEN,
        (_S.OPEN, _E.WITHDRAW): _S.WITHDRAWN,
        (_S.TAKEN, _E.TAKE): _S.TAKEN,
        (_S.TAKEN, _E.WITHDRAW): _S.WITHDRAWN,
    },
)


@dataclass(frozen=True)
class PutCharge:
    """A till wants to be paid for a basket by a phone. ``token``: of a scan; empty for whoever comes."""

    actor: Actor
    purpose: Purpose
    lines: tuple[BasketLine, ...]
    request_id: str
    token: str = ""
    disease: str = ""
    emergency: bool = False


@dataclass(frozen=True)
class TakeCharge:
    """Somebody takes a charge: by what its QR code says, or by its id where it was put to the person."""

    actor: Actor
    person_id: str
    text: str
    charge_id: str
    use_account: bool
    enrolment_id: str | None
    request_id: str


@dataclass(frozen=True)
class TakeChargeAtTill:
    """A till takes its own charge for whom it has scanned: for who carries no phone."""

    actor: Actor
    token: str
    charge_id: str
    use_account: bool
    request_id: str


@dataclass(frozen=True)
class WithdrawCharge:
    """A till takes a charge away."""

    actor: Actor
    charge_id: str
    request_id: str


@dataclass(frozen=True)
class ChargeView:
    """A charge. ``total_fen``: at the till's prices; ``text``: of its QR code, only when it is made."""

    id: str
    state: ChargeState
    purpose: Purpose
    institution: InstitutionView
    total_fen: Fen
    line_count: int
    created_at: datetime
    expires_at: datetime
    bill_id: str | None
    paid: bool
    text: str


@dataclass(frozen=True)
class ChargeNotFound(Refusal):
    """There is no such charge for the caller, or it has run out."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这张缴费单，或它已过期、属于其他患者。"
    en = "There is no such charge, or it has run out, or it is another patient's."
    next_zh = "请收银员重新生成缴费码。"
    next_en = "Ask the till for a new code."


@dataclass(frozen=True)
class ChargeNotOpen(Refusal):
    """The charge is being paid, is paid, or was taken away."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这张缴费单已撤回、正在支付或已支付。"
    en = "This charge was taken away, is being paid, or is paid."
    next_zh = "请在“账单与退费”中查看。"
    next_en = "Look at your bills."
    state: str
