"""A2 参保地政策: policies where you are insured. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "A2",
    "参保地政策",
    "本地政策",
    "Policies where you are insured",
    ModuleState.PLANNED,
    "尚未开放。",
)
