"""B4 异地就医备案: filing for care elsewhere. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B4",
    "异地就医备案",
    "异地备案",
    "Filing for care elsewhere",
    ModuleState.PLANNED,
    "尚未开放。",
)
