"""C8 个人权益手机号修改: change of phone number. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "C8",
    "个人权益手机号修改",
    "换手机号",
    "Change of phone number",
    ModuleState.PLANNED,
    "尚未开放。",
)
