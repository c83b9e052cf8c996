"""A prescription over real HTTP: signed, let go, offered, locked, looked at, paid and picked up; another voided."""

from __future__ import annotations

from typing import Any

from mobile_bff.client import Client
from tests.api.conftest import Site
from tests.world import IBUPROFEN, LEVEL_3, PHARMACY

_PRESCRIBED = {
    "doctorCode": "D1",
    "doctor": "甘示例",
    "signature": "SN0001",
    "diagnosis": "上呼吸道感染",
    "lines": [{"code": IBUPROFEN, "quantity": "1", "usage": "口服 每日两次"}],
}


def _signed(hospital: Client, phone: Client) -> dict[str, Any]:
    code = phone.issue_code("OUTPATIENT_SETTLEMENT")
    scanned = hospital.do_once("DecodeCode", code=code["text"], purpose="OUTPATIENT_SETTLEMENT")
    one = hospital.do_once("SignPrescription", token=scanned["token"], **_PRESCRIBED)
    assert one["state"] == "SIGNED", one
    return one


def test_a_prescription_is_filled_where_the_patient_likes(site: Site) -> None:
    hospital, pharmacy, phone = site.terminal(LEVEL_3), site.terminal(), site.phone("worker")
    one = _signed(hospital, phone)
    named = {"prescriptionId": one["prescriptionId"]}
    offers = [{"code": IBUPROFEN, "unitPrice": "15.00", "inStock": True}]
    assert pharmacy.do_once("PublishOffers", offers=offers)["count"] == 1
    [offer] = phone.call("PrescriptionOffers", **named)["prescriptionOffers"]
    assert (offer["pharmacy"]["code"], offer["total"]["yuan"]) == (PHARMACY, "15.00")
    early = pharmacy.do_once("TakePrescription", **named)
    assert early["code"] == "PRESCRIPTION_NOT_FOUND"
    let = phone.do_once("DecidePrescription", **named, accept=True, pharmacyCode=PHARMACY)
    assert (let["state"], let["chosen"]["code"]) == ("VALID", PHARMACY)
    [waiting] = pharmacy.call("TillPrescriptions")["prescriptionsToFill"]
    assert waiting["drugs"][0]["usage"] == "口服 每日两次"
    assert pharmacy.do_once("TakePrescription", **named)["state"] == "LOCKED"
    looked = pharmacy.do_once(
        "AuditPrescription", **named, pharmacistCode="YS1", pharmacist="药师样例", passes=True
    )
    assert looked["state"] == "AUDITED"
    line = {
        "code": IBUPROFEN,
        "quantity": "1",
        "unitPrice": "15.00",
        "traceCodes": ["8" + "4" * 19],
    }
    wrong = pharmacy.do_once("FillPrescription", **named, lines=[{**line, "quantity": "2"}])
    assert "不一致" in wrong["message"]
    filled = pharmacy.do_once("FillPrescription", **named, lines=[line])
    bill = phone.do_once("TakeCharge", chargeId=filled["chargeId"])
    assert bill["__typename"] == "Bill"
    assert pharmacy.do_once("Settle", billId=bill["billId"])["__typename"] == "Settlement"
    late = hospital.do_once("VoidPrescription", **named, reason="调整")
    assert late["code"] == "PRESCRIPTION_USED"
    assert pharmacy.do_once("HandOverDrugs", **named)["state"] == "PICKED_UP"
    [mine] = phone.call("Prescriptions")["prescriptions"]
    assert mine["status"]["text"] == "已取药"


def test_who_carries_no_phone_pays_at_the_counter_and_a_void_is_seen_everywhere(site: Site) -> None:
    hospital, pharmacy, phone = site.terminal(LEVEL_3), site.terminal(), site.phone("worker_2")
    one = _signed(hospital, phone)
    named = {"prescriptionId": one["prescriptionId"]}
    phone.do_once("DecidePrescription", **named, accept=True)
    code = phone.issue_code("PHARMACY_PURCHASE")
    scanned = pharmacy.do_once("DecodeCode", code=code["text"], purpose="PHARMACY_PURCHASE")
    listed = pharmacy.call("TillPrescriptions", token=scanned["token"])["prescriptionsToFill"]
    assert one["prescriptionId"] in [each["prescriptionId"] for each in listed]
    pharmacy.do_once("TakePrescription", **named, token=scanned["token"])
    pharmacy.do_once(
        "AuditPrescription", **named, pharmacistCode="YS1", pharmacist="药师样例", passes=True
    )
    line = {
        "code": IBUPROFEN,
        "quantity": "1",
        "unitPrice": "15.00",
        "traceCodes": ["8" + "5" * 19],
    }
    filled = pharmacy.do_once("FillPrescription", **named, lines=[line])
    bill = pharmacy.do_once("TakeChargeAtTill", token=scanned["token"], chargeId=filled["chargeId"])
    assert bill["__typename"] == "Bill"
    voided = hospital.do_once("VoidPrescription", **named, reason="用药调整")
    assert voided["state"] == "VOIDED"
    refused = pharmacy.do_once("Settle", billId=bill["billId"])
    assert refused["code"] == "BILL_NOT_OPEN"
    [shown] = hospital.call("HospitalPrescriptions", first=1)["prescriptionsSigned"]
    assert shown["steps"][-1]["words"] == "用药调整"
