"""B7 转移接续与参保凭证: transfer and certificates. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B7",
    "转移接续与参保凭证",
    "转移与凭证",
    "Transfer and certificates",
    ModuleState.PLANNED,
    "尚未开放。",
)
