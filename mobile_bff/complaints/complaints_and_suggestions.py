"""F2 投诉与建议: complaints and suggestions. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "F2",
    "投诉与建议",
    "投诉建议",
    "Complaints and suggestions",
    ModuleState.PLANNED,
    "尚未开放。",
)
