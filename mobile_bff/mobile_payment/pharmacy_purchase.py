"""D3 药店扫码购药. The till's side is terminals/gateway.py, the patient's bills_and_refunds.py."""

from __future__ import annotations

from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "D3",
    "药店扫码购药",
    "药店购药",
    "Buying at a pharmacy by code",
    ModuleState.PARTIAL,
    "药店可扫患者的码结算并按追溯码售药；手机也可扫收银台的码，一次付清医保和个人部分（微信支付、云闪付和各银行App），共济账户也可支付；亮码即付个人部分尚未开放。",
)
