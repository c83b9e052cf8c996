"""E1 预约挂号: appointments. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "E1",
    "预约挂号",
    "预约挂号",
    "Appointments",
    ModuleState.PLANNED,
    "尚未开放。",
)
