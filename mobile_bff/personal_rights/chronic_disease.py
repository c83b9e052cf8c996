"""C5 门诊慢特病待遇: chronic-disease benefits. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "C5",
    "门诊慢特病待遇",
    "门诊慢特病",
    "Chronic-disease benefits",
    ModuleState.PLANNED,
    "尚未开放。",
)
