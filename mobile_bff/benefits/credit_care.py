"""E5 信用就医: care first, pay later. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "E5",
    "信用就医",
    "信用就医",
    "Care first, pay later",
    ModuleState.PLANNED,
    "尚未开放。",
)
