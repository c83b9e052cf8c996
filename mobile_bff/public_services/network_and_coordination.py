"""B5 异地联网机构查询与问题协同: networked institutions and problem tickets. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B5",
    "异地联网机构查询与问题协同",
    "联网与协同",
    "Networked institutions and problem tickets",
    ModuleState.PLANNED,
    "尚未开放。",
)
