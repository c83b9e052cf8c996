"""How sure we are that it is really the person: proofs, and what each kind of act demands.

A proof counts for some minutes on the session that showed it, never longer and on no other device.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.money import Fen


class Proof(StrEnum):
    """A way to show that one is who the session says."""

    SMS_CODE = "SMS_CODE"
    """Holds the phone: weaker than the others, because a number can be taken over."""
    PAYMENT_PASSWORD = "PAYMENT_PASSWORD"  # noqa: S105 - a name, not a secret
    PASSKEY = "PASSKEY"
    FACE = "FACE"
    DESK = "DESK"
    """A clerk at a counter saw the person and the document."""

    def text(self, locale: Locale) -> str:
        """Return what people call it."""
        return _NAMES[self.value][0 if locale is Locale.ZH else 1]


_NAMES = {
    "SMS_CODE": ("短信验证码", "the code from the phone"),
    "PAYMENT_PASSWORD": ("支付密码", "the payment password"),
    "PASSKEY": ("通行密钥（指纹）", "a passkey (fingerprint)"),
    "FACE": ("刷脸", "the face"),
    "DESK": ("经办窗口核验", "a clerk at a counter"),
}


class Demand(StrEnum):
    """What an act asks for."""

    STRONG = "STRONG"
    """Changes how the account is protected, or lets somebody else in."""
    NEW_PASSWORD = "NEW_PASSWORD"  # noqa: S105 - a name, not a secret
    """Sets the payment password without knowing the one before."""
    MONEY = "MONEY"
    """Lets money go."""
    NEW_PHONE = "NEW_PHONE"
    """Moves the account to another phone; the old phone's code is enough."""


_ENOUGH: Mapping[Demand, tuple[Proof, ...]] = {
    Demand.STRONG: (Proof.PASSKEY, Proof.PAYMENT_PASSWORD, Proof.FACE, Proof.DESK),
    Demand.NEW_PASSWORD: (Proof.PASSKEY, Proof.FACE, Proof.DESK),
    Demand.NEW_PHONE: (Proof.SMS_CODE, Proof.PASSKEY, Proof.FACE, Proof.DESK),
    Demand.MONEY: (Proof.PASSKEY, Proof.PAYMENT_PASSWORD, Proof.DESK),
}


@dataclass(frozen=True)
class StepUpRequired(Refusal):
    """The act asks for a fresh proof that it is really the person."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "这一步需要再次确认是您本人。"
    en = "This step needs a fresh proof that it is you."
    next_zh = "请用以下任一方式确认后重试：{methods}；也可携身份证到经办窗口办理。"
    next_en = "Confirm in one of these ways and try again: {methods}; or come to a counter."
    methods: tuple[Proof, ...]


def fresh(shown: Mapping[Proof, datetime], now: datetime, lives: timedelta) -> frozenset[Proof]:
    """Return the proofs of a session that still count."""
    return frozenset(proof for proof, at in shown.items() if now - at < lives)


def refusal(
    demand: Demand,
    shown: Set[Proof],
    has: Set[Proof],
    amount: Fen | None = None,
    face_alone_max: Fen | None = None,
) -> StepUpRequired | None:
    """Return ``None`` where the fresh proofs are enough, else which of the person's own would be.

    ``has`` are the ways that the person has set up. Who has set up none yet shows the phone anew: there
    is nothing else to ask for, and the first way must be set up somehow. A face moves no more than
    ``face_alone_max`` by itself, because a camera can be shown what it wants to see.
    """
    enough = set(_ENOUGH[demand])
    if demand is Demand.MONEY and amount is not None and face_alone_max is not None:
        enough |= {Proof.FACE} if amount <= face_alone_max else set()
    if not has & set(_ENOUGH[Demand.STRONG]):
        enough.add(Proof.SMS_CODE)
    if shown & enough:
        return None
    usable = [proof for proof in Proof if proof in enough and proof in {*has, Proof.SMS_CODE}]
    return StepUpRequired(tuple(usable))
