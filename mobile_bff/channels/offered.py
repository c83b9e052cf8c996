"""Which cash channels this installation offers: those whose keys lie where the settings say."""

from __future__ import annotations

from backend.infra.database import Resources
from backend.infra.settings import Mode, SettingsError
from backend.orders.contracts import ChannelName
from backend.orders.driving import Channels
from mobile_bff.channels.wechat import WechatChannel, WechatKeys


def open_channels(resources: Resources) -> Channels:
    """Return the channels, by name; none where no keys were given. Raises ``SettingsError``."""
    settings = resources.settings
    insecure = settings.mode is Mode.PRODUCTION and not settings.wechat_url.startswith("https://")
    keys = WechatKeys.in_folder(settings.resolved_channel_keys / "wechat")
    if keys is None:
        return {}
    if insecure:
        raise SettingsError("YIBAO_WECHAT_URL must be the platform's own in production")
    return {ChannelName.WECHAT: WechatChannel(settings, keys, resources.clock)}
