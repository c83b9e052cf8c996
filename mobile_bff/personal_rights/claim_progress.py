"""C4 报销进度查询: progress of claims. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "C4",
    "报销进度查询",
    "报销进度",
    "Progress of claims",
    ModuleState.PLANNED,
    "尚未开放。",
)
