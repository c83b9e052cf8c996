"""Payment safety as the app drives it, over real HTTP."""

from __future__ import annotations

from mobile_bff.processes import newest_code
from tests.api.conftest import Site
from tests.world import IBUPROFEN, phone_of


def test_a_password_a_large_bill_a_freeze_and_the_devices(site: Site) -> None:
    phone, till = site.phone("worker"), site.terminal()
    assert phone.do("SetPaymentPassword", password="123456")["code"] == "PASSWORD_TOO_WEAK"
    held = phone.do("SetPaymentPassword", password="739146")
    assert (held["password"], held["ways"]) == ("SET", ["PAYMENT_PASSWORD"])
    code = phone.do_once("IssueCode", purpose="PHARMACY_PURCHASE")
    scanned = till.do_once("DecodeCode", code=code["text"], purpose="PHARMACY_PURCHASE")
    lines = [
        {
            "code": IBUPROFEN,
            "quantity": "1",
            "unitPrice": "300.00",
            "traceCodes": ["81234567890123456789"],
        }
    ]
    bill = till.do_once("Presettle", token=scanned["token"], lines=lines)
    asked = phone.do_once("ConfirmBill", billId=bill["billId"])
    assert (asked["code"], asked["retry"]) == ("STEP_UP_REQUIRED", "SAME_REQUEST")
    assert "支付密码" in asked["speechText"]
    assert phone.do("StepUp", proof="PAYMENT_PASSWORD", secret="000000")["code"] == "PASSWORD_WRONG"
    assert phone.do("StepUp", proof="PAYMENT_PASSWORD", secret="739146")["until"]
    assert phone.do_once("ConfirmBill", billId=bill["billId"])["state"] == "CONFIRMED"
    assert till.do_once("Settle", billId=bill["billId"])["__typename"] == "Settlement"
    kept = phone.do(
        "SetPaymentRules",
        confirmAboveFen=20_000,
        perPaymentFen=5_000,
        silentFrom="23:00",
        silentUntil="05:00",
    )
    assert (kept["perPayment"]["yuan"], kept["silentFrom"]) == ("50.00", "23:00")
    frozen = phone.do("FreezeAccount", reason="手机丢了")
    assert frozen["freezeReason"] == "手机丢了"
    refused = phone.do_once("IssueCode", purpose="PHARMACY_PURCHASE")
    assert refused["code"] == "ACCOUNT_FROZEN"
    assert phone.call("UnfreezeAccount")["frozenAt"] is None
    assert phone.call("PaymentSecurity")["paymentSecurity"]["silentUntil"] == "05:00"


def test_devices_over_http(site: Site) -> None:
    phone, number = site.phone("worker_2"), phone_of("worker_2")
    (device,) = phone.call("Devices")
    assert (device["name"], device["current"]) == ("测试机", True)
    other = site.anonymous()
    before = newest_code(site.mailbox, number)
    sent = other.do("RequestSignInCode", phone=number)
    while sent["__typename"] == "TooManyCodes":
        sent = other.do("RequestSignInCode", phone=number)
    code = before
    while code == before:
        code = newest_code(site.mailbox, number)
    session = other.do("SignIn", phone=number, code=code, deviceName="旧手机")
    other.token = session["accessToken"]
    assert {d["name"] for d in phone.call("Devices")} == {"测试机", "旧手机"}
    assert phone.do("EndSession", sessionId=session["sessionId"])["count"] == 1
    assert other.do_once("IssueCode", purpose="PHARMACY_PURCHASE")["code"] == "SIGN_IN_REQUIRED"
    again = phone.do("EndSession", sessionId=session["sessionId"])
    assert again["code"] == "SESSION_UNKNOWN"
    assert phone.call("SignOutEverywhere")["count"] == 1
    assert phone.do_once("IssueCode", purpose="PHARMACY_PURCHASE")["code"] == "SIGN_IN_REQUIRED"
