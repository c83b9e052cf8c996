"""B2 定点零售药店查询. The query is ``findInstitutions(kind: PHARMACY)`` of B1, which shares its type."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B2",
    "定点零售药店查询",
    "查药店",
    "Designated pharmacies",
    ModuleState.AVAILABLE,
    "可按名称、拼音首字母、距离、营业时间查询，含门诊统筹、双通道、外配处方和值班药师。",
)
