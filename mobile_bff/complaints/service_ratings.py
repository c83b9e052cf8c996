"""F1 服务评价: ratings. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "F1",
    "服务评价",
    "服务评价",
    "Ratings",
    ModuleState.PLANNED,
    "尚未开放。",
)
