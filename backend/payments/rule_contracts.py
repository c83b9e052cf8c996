"""Commands, views and refusals of a person's own payment rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen


@dataclass(frozen=True)
class PaymentRules:
    """A person's payment rules. Amounts count what the personal account pays; ``None``: no limit.

    ``silent_from`` and ``silent_until`` are local times such as ``22:30``, both set or neither; between
    them no code buys at a pharmacy.
    """

    person_id: str
    confirm_above_fen: Fen
    per_payment_fen: Fen | None = None
    per_day_fen: Fen | None = None
    silent_from: str | None = None
    silent_until: str | None = None


@dataclass(frozen=True)
class SetPaymentRules:
    """A person changes their own rules, all of them at once."""

    actor: Actor
    rules: PaymentRules


@dataclass(frozen=True)
class RulesInvalid(Refusal):
    """A limit is negative or above the highest that makes sense, or a time is none."""

    zh = "限额应在0元到{maximum_fen}之间，静默时段须同时填写起止时间（如22:30）且不能相同。"
    en = "Limits lie between zero and {maximum_fen}; silent hours take two different times like 22:30."
    next_zh = "请重新设置。"
    next_en = "Choose other values."
    maximum_fen: Fen


@dataclass(frozen=True)
class AccountLimitReached(Refusal):
    """The personal account would pay more than its owner allows for a payment or a day."""

    zh = "个人账户本次需支付{asked_fen}，超过本人设置的限额，目前还可支付{left_fen}。"
    en = "The account would pay {asked_fen}; its owner's limits leave {left_fen}."
    next_zh = "可改为不使用个人账户结算；本人也可在“支付安全”中调整限额。"
    next_en = "Settle without the account, or let its owner change the limits in the app."
    asked_fen: Fen
    left_fen: Fen


@dataclass(frozen=True)
class SilentHours(Refusal):
    """The owner has chosen that nothing is bought at this time of day."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "现在是本人设置的静默时段（至{until}），暂不能在药店用码支付。"
    en = "Its owner has set silent hours until {until}: no code buys at a pharmacy now."
    next_zh = "请在静默时段后再试；急需用药时可自费购买，或由本人在“支付安全”中调整。"
    next_en = "Try again later, pay cash if it is urgent, or let the owner change it in the app."
    until: str
