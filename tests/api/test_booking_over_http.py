"""A doctor booked over real HTTP: rules and clinics, a fee paid from the phone, waiting, and a doctor who stops."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_day
from mobile_bff.client import Client
from tests.api.conftest import Site
from tests.world import LEVEL_3, VISIT

_RULES = {
    "horizonDays": 7,
    "releaseAt": "00:00",
    "onePer": "DEPARTMENT",
    "payFirst": True,
    "cancelOrdinary": {"minutesBefore": 30},
    "cancelExpert": {"at": "17:00", "daysBefore": 1},
    "missed": [{"count": 3, "withinDays": 365, "barredDays": 30}],
    "waitingMax": 5,
}


def _published(hospital: Client, number: str, **changes: Any) -> dict[str, Any]:
    plan = {
        "number": number,
        "day": (local_day(SystemClock().now()) + timedelta(days=3)).isoformat(),
        "kind": "EXPERT",
        "departmentCode": "0301",
        "department": "心血管内科",
        "doctorCode": "D1",
        "doctor": "甘示例",
        "feeCode": VISIT,
        "feeFen": 5000,
        "blocks": [{"begins": "08:00", "ends": "09:00", "seats": 1}],
    }
    done = hospital.do_once("PublishClinics", clinics=[{**plan, **changes}])
    assert done["__typename"] == "ClinicsPublished", done
    shown: dict[str, Any] = done["clinics"][0]
    return shown


def _waits_for(what: Any) -> Any:
    for _ in range(100):
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def test_a_seat_is_paid_from_the_phone_and_its_fee_comes_back_when_the_doctor_stops(
    site: Site,
) -> None:
    hospital, phone, other = site.terminal(LEVEL_3), site.phone("worker"), site.phone("worker_2")
    refused = hospital.do_once("SetBookingRules", **{**_RULES, "horizonDays": 0})
    assert refused["code"] == "BOOKING_RULES_INVALID"
    assert "1至90天" in refused["message"]
    assert hospital.do_once("SetBookingRules", **_RULES)["releaseAt"] == "00:00:00"
    shown = _published(hospital, "S1")
    anybody = site.anonymous()
    places = anybody.call("BookableHospitals", region="510100")["bookableHospitals"]
    assert [one["code"] for one in places] == [LEVEL_3]
    found = anybody.call("Clinics", hospital=LEVEL_3)
    assert found["bookingRules"]["cancelExpert"]["at"] == "17:00:00"
    assert found["bookableDepartments"] == [{"code": "0301", "name": "心血管内科"}]
    assert [(one["free"], one["fee"]["yuan"]) for one in found["clinics"]] == [(1, "50.00")]

    held = phone.do_once("BookAppointment", clinicId=shown["clinicId"])
    assert (held["state"], held["queueNumber"]) == ("HELD", 1)
    assert "支付" in held["status"]["nextAction"]
    full = other.do_once("BookAppointment", clinicId=shown["clinicId"])
    assert full["code"] == "CLINIC_FULL"
    assert "候补" in full["nextAction"]
    place = other.do_once("JoinWaiting", clinicId=shown["clinicId"])
    assert (place["state"], place["ahead"]) == ("WAITING", 0)
    bill = phone.do_once("TakeCharge", chargeId=held["chargeId"])
    till = site.terminal(LEVEL_3)
    assert till.do_once("Settle", billId=bill["billId"])["__typename"] == "Settlement"

    def booked() -> dict[str, Any] | None:
        [mine] = phone.call("Appointments")["appointments"]
        return mine if mine["state"] == "BOOKED" else None

    _waits_for(booked)
    day = shown["day"]
    [listed] = hospital.call("TillClinics", day=day)["clinicDays"]
    assert (listed["clinic"]["free"], listed["freeAtWindow"]) == (0, 0)
    stopped = hospital.do_once("StopClinic", number="S1", reason="医生外出会诊")
    assert stopped["stopped"]

    def back() -> dict[str, Any] | None:
        [mine] = phone.call("Appointments")["appointments"]
        return mine if mine["refund"] == "DONE" else None

    done = _waits_for(back)
    assert (done["state"], done["steps"][-1]["words"]) == ("STOPPED", "医生外出会诊")
    lost = other.call("Appointments")["waitingPlaces"]
    assert [one["state"] for one in lost] == ["CLOSED"]


def test_a_relative_without_a_right_books_nothing(site: Site) -> None:
    hospital = site.terminal(LEVEL_3)
    hospital.do_once("SetBookingRules", **{**_RULES, "payFirst": False})
    shown = _published(hospital, "S2", departmentCode="0302", feeFen=0)
    me = site.phone("worker_3")
    other = site.phone("worker_4").do_once("BookAppointment", clinicId=shown["clinicId"])
    assert other["state"] == "BOOKED"
    refused = me.do_once("BookAppointment", clinicId=shown["clinicId"], subjectId="x")
    assert refused["code"] == "NOT_PERMITTED"
    cancel = me.do_once("CancelAppointment", appointmentId=other["appointmentId"])
    assert cancel["code"] == "APPOINTMENT_NOT_FOUND"
    [seen] = hospital.call("TillAppointments", number="S2")["clinicAppointments"]
    with site.phone("worker_4").events("Happenings") as events:
        met = hospital.do_once(
            "ReceivePatient", appointmentId=seen["appointmentId"], event="ARRIVE"
        )
        assert met["state"] == "CHECKED_IN"
        assert next(events) == {"about": "APPOINTMENT", "objectId": seen["appointmentId"]}
