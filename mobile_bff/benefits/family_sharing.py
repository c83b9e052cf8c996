"""E3 家庭共济与医保钱包: family sharing and wallet. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "E3",
    "家庭共济与医保钱包",
    "家庭共济",
    "Family sharing and wallet",
    ModuleState.PLANNED,
    "尚未开放。",
)
