"""B6 参保登记与缴费指引: enrolment and contributions. Not built yet; this file is its place."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B6",
    "参保登记与缴费指引",
    "参保缴费",
    "Enrolment and contributions",
    ModuleState.PLANNED,
    "尚未开放。",
)
