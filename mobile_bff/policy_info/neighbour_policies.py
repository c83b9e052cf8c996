"""A3 邻近省市政策: policies of neighbours. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "A3",
    "邻近省市政策",
    "邻省政策",
    "Policies of neighbours",
    ModuleState.PLANNED,
    "尚未开放。",
)
