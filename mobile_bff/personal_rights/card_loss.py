"""C7 卡挂失与解挂: card loss. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "C7",
    "卡挂失与解挂",
    "卡挂失",
    "Card loss",
    ModuleState.PLANNED,
    "尚未开放。",
)
