"""Which cash channels this installation offers: those whose keys lie where the settings say."""

from __future__ import annotations

from backend.infra.database import Resources
from backend.infra.settings import Mode, SettingsError
from backend.orders.contracts import CashChannel, ChannelName
from backend.orders.driving import Channels
from mobile_bff.channels.bank_credit import BankCreditChannel, BankKeys
from mobile_bff.channels.unionpay import UnionpayChannel, UnionpayKeys
from mobile_bff.channels.wechat import WechatChannel, WechatKeys


def open_channels(resources: Resources) -> Channels:
    """Return the channels, by name; none where no keys were given. Raises ``SettingsError``."""
    settings, found = resources.settings, dict[ChannelName, CashChannel]()
    folder = settings.resolved_channel_keys
    wechat = WechatKeys.in_folder(folder / "wechat")
    if wechat is not None:
        _must_be_secure(settings.mode, settings.wechat_url, "WECHAT_URL")
        found[ChannelName.WECHAT] = WechatChannel(settings, wechat, resources.clock)
    unionpay = UnionpayKeys.in_folder(folder / "unionpay")
    if unionpay is not None:
        _must_be_secure(settings.mode, settings.unionpay_url, "UNIONPAY_URL")
        found[ChannelName.UNIONPAY] = UnionpayChannel(settings, unionpay, resources.clock)
    bank = BankKeys.in_folder(folder / "bank")
    if bank is not None:
        _must_be_secure(settings.mode, settings.bank_url, "BANK_URL")
        found[ChannelName.CREDIT] = BankCreditChannel(settings, bank, resources.clock)
    return found


def _must_be_secure(mode: Mode, url: str, setting: str) -> None:
    if mode is Mode.PRODUCTION and not url.startswith("https://"):
        raise SettingsError(f"YIBAO_{setting} must be the platform's own in production")
