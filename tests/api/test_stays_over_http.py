"""A stay in hospital, its explanation and an estimate before it, through the public API alone."""

from __future__ import annotations

import base64
from typing import Any

from mobile_bff.client import Client
from tests.api.conftest import Site
from tests.world import LEVEL_2, LEVEL_3, VISIT

ADMISSION = "HOSPITAL_ADMISSION"


def care(amount: str) -> dict[str, Any]:
    return {"code": VISIT, "quantity": "1", "unitPrice": amount}


def admitted(phone: Client, hospital: Client, **more: Any) -> dict[str, Any]:
    code = phone.do_once("IssueCode", purpose=ADMISSION)
    scanned = hospital.do_once("DecodeCode", code=code["text"], purpose=ADMISSION)
    stay: dict[str, Any] = hospital.do_once("AdmitPatient", token=scanned["token"], **more)
    return stay


def test_a_stay_from_admission_to_explanation(site: Site) -> None:
    phone, hospital = site.phone("aided"), site.terminal(LEVEL_3)
    stay = admitted(phone, hospital)
    assert (stay["state"], stay["payLater"], stay["filing"]) == ("ADMITTED", False, "NONE")
    deposit = hospital.do_once("TakeDeposit", stayId=stay["stayId"], amount=500_000)
    assert deposit["deposit"]["yuan"] == "5000.00"
    assert [s["stayId"] for s in hospital.call("TillStays", first=5)["stays"]] == [stay["stayId"]]
    bill = hospital.do_once(
        "Presettle", stayId=stay["stayId"], lines=[care("60000")], discharge=True
    )
    assert phone.do_once("ConfirmBill", billId=bill["billId"])["state"] == "CONFIRMED"
    settled = hospital.do_once("Settle", billId=bill["billId"])
    closed = hospital.call("TillStay", stayId=stay["stayId"])["stay"]
    assert (closed["state"], closed["depositRefund"]["yuan"]) == ("DISCHARGED", "610.84")
    other = site.terminal(LEVEL_2)
    assert other.call("TillStay", stayId=stay["stayId"])["stay"] is None
    paid = {p["payer"]: p["amount"]["yuan"] for p in settled["working"]["payers"]}
    assert paid == {
        "BASIC": "40460.00",
        "CRITICAL_ILLNESS": "4909.45",
        "MEDICAL_AID": "10241.39",
        "CASH": "4389.16",
    }
    shown = phone.call("SettlementExplanation", id=settled["id"])
    texts = [step["text"] for step in shown["explanation"]["steps"]]
    assert "统筹基金支付40460.00元：(60000.00 - 500.00) × 68%。" in texts
    assert "您是低保对象，享受倾斜支付：23974.00 × 50% = 11987.00。" in texts
    assert texts[-1] == "您一共负担4389.16元：个人账户0.00元，现金4389.16元。"
    assert all(
        step["rule"]["clause"] for step in shown["explanation"]["steps"][:-1] if step["rule"]
    )
    provisional = {rule["id"] for rule in shown["explanation"]["provisionalRules"]}
    assert {"CD-CI/threshold", "CD-MAF/rate"} <= provisional
    speech = shown["explanation"]["speechText"]
    assert "×" not in speech
    assert "医疗救助支付10241.39元" in speech


def test_the_explanation_in_english(site: Site) -> None:
    phone = site.phone("aided")
    records = phone.call("SettlementRecords", first=5)["settlements"]["edges"]
    english = Client(phone.base_url, http=site.http, language="en")
    english.token = phone.token
    shown = english.call("SettlementExplanation", id=records[0]["node"]["id"])
    assert shown["explanation"]["summary"].startswith("Of CNY 60000.00: Pooling fund of basic")
    texts = [step["text"] for step in shown["explanation"]["steps"]]
    assert "Above the deductible the rate is 68%." in texts


def test_an_estimate_compares_hospitals_filings_and_referral(site: Site) -> None:
    phone = site.phone("retiree")
    listed = phone.call("Institutions", divisionCode="510104", kind="HOSPITAL")["institutions"]
    hospital = next(i["id"] for i in listed if i["level"] == 3)
    options = [
        {"institutionId": _plain(hospital)},
        {"institutionId": _plain(hospital), "referredFromLevel": 2},
        {"institutionId": _plain(hospital), "filing": "EMERGENCY"},
    ]
    answered = phone.call(
        "Estimate",
        input={"care": "INPATIENT", "inScope": 1_080_000, "on": "2026-06-15", "options": options},
    )["estimate"]
    assert [e["working"]["fund"]["yuan"] for e in answered] == ["8900.00", "9256.00", "8900.00"]
    assert [e["personal"]["yuan"] for e in answered] == ["1900.00", "1544.00", "1900.00"]
    assert answered[0]["working"]["explanation"]["steps"][0]["rule"]["document"]


def test_a_foolish_estimate_is_refused_in_words(site: Site) -> None:
    phone = site.phone("retiree")
    for wrong in (
        {"care": "INPATIENT", "inScope": 0, "options": [{"institutionId": "x"}]},
        {"care": "INPATIENT", "inScope": 100, "options": []},
        {"care": "INPATIENT", "inScope": -1, "options": [{"institutionId": "x"}]},
    ):
        answer = site.http.post(
            f"{site.url}/graphql",
            headers={"authorization": f"Bearer {phone.token}"},
            json={
                "query": "query($i: EstimateInput!) { personalRights { estimate(input: $i) { refusal } } }",
                "variables": {"i": wrong},
            },
        ).json()
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def _plain(global_id: str) -> str:
    return base64.b64decode(global_id).decode().partition(":")[2]
