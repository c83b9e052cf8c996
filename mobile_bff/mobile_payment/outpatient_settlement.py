"""D2 普通门诊结算. The hospital's side is terminals/gateway.py, the patient's bills_and_refunds.py."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "D2",
    "普通门诊结算",
    "门诊结算",
    "Outpatient settlement",
    ModuleState.AVAILABLE,
    "医院可扫码结算普通门诊、门诊慢特病和住院；待缴费单可在手机上扫码或点开、为本人或亲属一次付清医保和个人部分（微信支付、云闪付和各银行App），共济账户也可支付；开通免密支付或银行信用就医后，亮码一次即付清医保、账户和个人部分。",
)
