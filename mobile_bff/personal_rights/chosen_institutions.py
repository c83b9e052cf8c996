"""C6 定点选定与家庭医生签约: chosen institutions and family doctor. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "C6",
    "定点选定与家庭医生签约",
    "定点与家医",
    "Chosen institutions and family doctor",
    ModuleState.PLANNED,
    "尚未开放。",
)
