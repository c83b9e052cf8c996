"""A1 国家与省级政策: national and provincial policies. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "A1",
    "国家与省级政策",
    "国家政策",
    "National and provincial policies",
    ModuleState.PLANNED,
    "尚未开放。",
)
