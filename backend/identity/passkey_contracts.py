"""Commands, views and refusals of passkeys (WebAuthn): the fingerprint on the person's own device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry, Seconds

PASSKEYS_MAX = 10


@dataclass(frozen=True)
class BeginAddPasskey:
    """A signed-in person wants to add a passkey."""

    actor: Actor


@dataclass(frozen=True)
class AddPasskey:
    """The authenticator's answer to the options, as JSON."""

    actor: Actor
    ceremony_id: str
    credential: str
    name: str


@dataclass(frozen=True)
class RemovePasskey:
    """A person throws a passkey away, of a lost phone for example."""

    actor: Actor
    passkey_id: str


@dataclass(frozen=True)
class BeginPasskeySignIn:
    """Somebody who is not signed in wants to sign in with a passkey."""

    address: str


@dataclass(frozen=True, kw_only=True)
class SignInWithPasskey:
    """The authenticator's answer to the options, as JSON."""

    ceremony_id: str
    credential: str
    device_name: str
    address: str


@dataclass(frozen=True)
class BeginPasskeyStepUp:
    """A signed-in person wants to prove themselves with a passkey."""

    actor: Actor


@dataclass(frozen=True)
class StepUpWithPasskey:
    """The authenticator's answer to the options, as JSON."""

    actor: Actor
    ceremony_id: str
    credential: str


@dataclass(frozen=True)
class PasskeyCeremony:
    """What the app hands to the browser or the phone: options as JSON, good for some minutes, once."""

    id: str
    options: str
    expires_at: datetime


@dataclass(frozen=True)
class PasskeyView:
    """A passkey of a person."""

    id: str
    name: str
    added_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class Passkeys:
    """A person's passkeys, the newest first."""

    items: tuple[PasskeyView, ...]


@dataclass(frozen=True)
class PasskeyNotAccepted(Refusal):
    """The answer does not verify: another challenge, site or key, or no fingerprint was asked for."""

    zh = "这次指纹（通行密钥）验证没有通过。"
    en = "The passkey was not accepted."
    next_zh = "请重新发起一次验证；仍不成功可用支付密码或短信验证码。"
    next_en = "Begin again; or use the payment password or the code from the phone."


@dataclass(frozen=True)
class PasskeyCloned(Refusal):
    """The authenticator's counter went back: there may be a copy of the key."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这枚通行密钥可能被复制，已停用。"
    en = "The passkey may have been copied; it is taken out of use."
    next_zh = "请用支付密码登录后重新添加；如非本人操作，请立即冻结账户。"
    next_en = "Sign in otherwise and add a new one; freeze the account if this was not you."


@dataclass(frozen=True)
class PasskeyUnknown(Refusal):
    """There is no such passkey, or it was removed."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有找到这枚通行密钥。"
    en = "There is no such passkey."
    next_zh = "请用短信验证码登录后，在“支付安全”中查看或重新添加。"
    next_en = "Sign in with the phone and look at your passkeys, or add one again."


@dataclass(frozen=True)
class TooManyPasskeys(Refusal):
    """A person holds no more passkeys than this."""

    zh = "最多可保存{maximum}枚通行密钥。"
    en = "At most {maximum} passkeys are kept."
    next_zh = "请先删除不用的通行密钥。"
    next_en = "Remove one that is no longer used first."
    maximum: int


@dataclass(frozen=True)
class TooManyAttempts(Refusal):
    """Sign-ins were begun too often from one address."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "尝试过于频繁，请在{retry_after_seconds}后再试。"
    en = "There were too many attempts; try again in {retry_after_seconds}."
    next_zh = "请稍后再试，或用短信验证码登录。"
    next_en = "Try again later, or sign in with the code from the phone."
    retry_after_seconds: Seconds
