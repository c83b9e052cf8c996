"""B8 手工（零星）报销申请: manual claims. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B8",
    "手工（零星）报销申请",
    "手工报销",
    "Manual claims",
    ModuleState.PLANNED,
    "尚未开放。",
)
