"""B2 定点零售药店查询. The query is ``institutions(kind: PHARMACY)`` of B1, which shares its type."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B2",
    "定点零售药店查询",
    "查药店",
    "Designated pharmacies",
    ModuleState.PARTIAL,
    "可按编码和区县查询，含是否开通门诊统筹；营业时间等尚未开放。",
)
