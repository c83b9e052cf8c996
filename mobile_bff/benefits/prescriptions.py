"""E4 处方流转: prescriptions. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "E4",
    "处方流转",
    "处方流转",
    "Prescriptions",
    ModuleState.PLANNED,
    "尚未开放。",
)
