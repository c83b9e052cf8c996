"""E2 亲情账户与长辈代办: relatives and proxies. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "E2",
    "亲情账户与长辈代办",
    "亲情账户",
    "Relatives and proxies",
    ModuleState.PLANNED,
    "尚未开放。",
)
