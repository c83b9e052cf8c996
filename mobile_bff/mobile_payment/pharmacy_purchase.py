"""D3 药店扫码购药. The till's side is terminals/gateway.py, the patient's bills_and_refunds.py."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "D3",
    "药店扫码购药",
    "药店购药",
    "Buying at a pharmacy by code",
    ModuleState.AVAILABLE,
    "药店可扫患者的码结算并按追溯码售药；手机也可扫收银台的码，一次付清医保和个人部分（微信支付、云闪付和各银行App），共济账户也可支付；开通免密支付或银行信用就医后，亮码一次即付清医保、账户和个人部分。",
)
