"""F3 实名举报与奖励: real-name reports and rewards. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "F3",
    "实名举报与奖励",
    "实名举报",
    "Real-name reports and rewards",
    ModuleState.PLANNED,
    "尚未开放。",
)
