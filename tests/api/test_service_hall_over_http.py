"""The service hall over real HTTP: a disease applied for, searches, documents, and a year as a table."""

from __future__ import annotations

import csv
import io

import httpx
import jwt
import pytest

from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_day
from mobile_bff.client import CallFailed
from tests.api.conftest import Site
from tests.api.test_desk_over_http import at_desk
from tests.api.test_filing_story import picture
from tests.world import IBUPROFEN


def test_a_disease_is_applied_for_found_by_two_experts_and_on_file(site: Site) -> None:
    phone = site.phone("worker_2")
    choices = phone.call("ChronicChoices")["chronicChoices"]
    assert "慢阻肺" in [one["diseaseName"] for one in choices["diseases"]]
    hospital = choices["hospitals"][0]["code"]
    saved = phone.do_once("SaveChronic", disease="COPD", hospitalCode=hospital)
    matter = saved["matter"]["matterId"]
    assert saved["missing"] == ["DIAGNOSIS", "RECORDS", "LAB_REPORTS"]
    assert saved["form"][0]["text"] == "慢阻肺"
    assert saved["form"][1]["text"] == choices["hospitals"][0]["name"]
    refused = phone.do_once("SubmitApplication", matterId=matter)
    assert refused["code"] == "MATERIALS_MISSING"
    mine = {"authorization": f"Bearer {phone.token}"}
    for paper in saved["missing"]:
        files = {paper: ("a.png", picture(), "image/png")}
        sent = site.http.post(f"{site.url}/materials/{matter}", files=files, headers=mine)
        assert sent.status_code == 200
    assert phone.do_once("SubmitApplication", matterId=matter)["matter"]["state"] == "SUBMITTED"
    for number in ("HX2001", "HX2002"):
        expert = at_desk(site, number)
        listed = expert.call("ExpertWork", first=20)["forExperts"]
        assert [one["matter"]["matterId"] for one in listed] == [matter]
        expert.do("GiveOpinion", matterId=matter, meets=True, words="符合")
    clerk = at_desk(site, "CD1001")
    listed = clerk.call("Work", first=20)["matters"]
    assert [one["matter"]["matterId"] for one in listed] == [matter]
    done = clerk.do("DecideMatter", matterId=matter, decision="APPROVE", words="通过")
    assert done["matter"]["state"] == "EFFECTIVE"
    assert [one["meets"] for one in done["opinions"]] == [True, True]
    [held] = phone.call("ChronicDiseases")["chronicDiseases"]
    assert (held["disease"], held["state"]) == ("COPD", "ACTIVE")
    seen = phone.call("Application", matterId=matter)["application"]
    assert [step["text"] for step in seen["matter"]["steps"]][-1] == "生效"


def test_where_there_is_no_pilot_a_capitation_cannot_be_signed(site: Site) -> None:
    phone = site.phone("worker_2")
    assert phone.call("Capitation")["capitation"] is None
    refused = phone.do_once("SaveCapitation", act="SIGN", hospitalCode="H51010400001")
    assert refused["code"] == "RULE_NOT_LOADED"


def test_institutions_items_and_policies_are_found(site: Site) -> None:
    phone = site.phone("retiree")
    wanted = {"text": "武侯大药房", "latitude": 30.657, "longitude": 104.066}
    hits = phone.call("FindInstitutions", input=wanted, first=5)
    [first, *_] = hits["findInstitutions"]
    assert first["metres"] is not None
    with pytest.raises(CallFailed, match="latitude and longitude"):
        phone.call("FindInstitutions", input={"latitude": 30.0})
    items = phone.call("CatalogueItems", text="blf")["catalogueItems"]
    assert any("布洛芬" in one["name"] for one in items)
    found = phone.call("LocalPolicies", text="起付线")["localPolicies"]
    assert found
    page = phone.call("Policy", code=found[0]["code"])["policy"]
    assert page["forMe"]["status"]["text"]
    nobody = phone.call("Policy", code="no such")["policy"]
    assert nobody is None


def test_the_waiting_period_is_told_before_it_bites(site: Site) -> None:
    anybody = site.anonymous()

    def asked(**more: object) -> dict[str, object]:
        found = anybody.call("WaitingPeriod", areaCode="510100", **more)["waitingPeriod"]
        assert isinstance(found, dict)
        return found

    gap = asked(gapYears=2)
    assert (gap["months"], gap["monthsIfRepaired"]) == (5, 3)
    assert "国办发〔2024〕38号" in str(gap["rule"])
    assert asked(gapYears=6, repairedYears=6)["months"] == 6  # a long gap keeps its least
    born = asked(gapYears=0, newborn=True)
    assert (born["months"], "没有等待期" in str(born["text"])) == (0, True)
    with pytest.raises(CallFailed, match="gapYears"):
        asked(gapYears=1, repairedYears=2)


def test_enrolments_and_account_lines_tell_their_history(site: Site) -> None:
    phone = site.phone("worker")
    [enrolment] = phone.call("EnrolmentHistory")["enrolments"]
    assert enrolment["monthsInRow"] > 12
    assert enrolment["periods"][0]["status"]["code"] == "ACTIVE"
    assert enrolment["contributionBase"]["yuan"] != "0.00"
    [account] = phone.call("AccountLines", first=5, since="2020-01-01")["accounts"]
    assert account["frozenAt"] is None
    assert enrolment["monthsPaid"] >= 12
    assert enrolment["lastSync"] is not None
    paid = phone.call("Contributions")["contributions"]
    assert {one["status"]["code"] for one in paid} == {"PAID"}
    assert paid[0]["payer"] == "示例有限公司"
    lines = [edge["node"] for edge in account["lines"]["edges"]]
    assert lines
    assert not any(one["forRelative"] for one in lines)
    [none] = phone.call("AccountLines", first=5, until="2020-01-01")["accounts"]
    assert none["lines"]["edges"] == []


def test_a_year_is_handed_out_as_a_table_to_whom_it_belongs(site: Site) -> None:
    phone, other = site.phone("retiree"), site.phone("worker")
    year = local_day(SystemClock().now()).year

    def fetch(token: str, **more: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", "accept-language": "zh"}
        address = f"{site.url}/exports/settlements.csv"
        return site.http.get(address, params={"year": str(year), **more}, headers=headers)

    own = fetch(phone.token)
    assert (own.status_code, own.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    [head, *_] = csv.reader(io.StringIO(own.text.removeprefix("\ufeff")))
    assert head[6:12] == ["总费用", "基金支付", "医院负担", "个人账户", "共济支付", "现金"]
    assert fetch("nonsense").status_code == 401
    assert (
        fetch(
            other.token,
            subject=str(jwt.decode(phone.token, options={"verify_signature": False})["sub"]),
        ).status_code
        == 403
    )
    assert fetch(phone.token, year="next").status_code == 400
    assert fetch(phone.token, year="99999").status_code == 400


def test_somebody_registers_is_approved_and_shown_the_bill(site: Site) -> None:
    phone = site.phone("not_insured")
    choices = phone.call("RegistrationChoices", areaCode="510100")["registrationChoices"]
    assert (choices["provisional"], "HIGH" in [one["tier"] for one in choices["tiers"]]) == (
        True,
        True,
    )
    form = {
        "divisionCode": "510104",
        "personKind": "RESIDENT_ADULT",
        "tier": "HIGH",
        "year": choices["years"][0],
        "address": "示例路1号",
        "localHousehold": True,
    }
    refused = phone.do_once("SaveEnrolment", **{**form, "divisionCode": "510100"})
    assert "参保地" in refused["message"]
    draft = phone.do_once("SaveEnrolment", **form)
    assert draft["missing"] == ["ID_PHOTO"]
    matter = draft["matter"]["matterId"]
    sent = site.http.post(
        f"{site.url}/materials/{matter}",
        files={"ID_PHOTO": ("a.png", picture(), "image/png")},
        headers={"authorization": f"Bearer {phone.token}"},
    )
    assert sent.status_code == 200
    assert phone.do_once("SubmitApplication", matterId=matter)["matter"]["state"] == "SUBMITTED"
    done = at_desk(site, "CD1001").do(
        "DecideMatter", matterId=matter, decision="APPROVE", words="核对身份证"
    )
    assert done["matter"]["state"] == "APPROVED"
    seen = phone.call("Application", matterId=matter)["application"]
    assert seen["matter"]["status"]["text"] == "已登记，等待缴费"
    [bill] = phone.call("Contributions")["contributions"]
    assert (bill["status"]["code"], bill["own"]["yuan"]) == ("DUE", "520.00")
    assert bill["payUrl"].endswith(bill["billNumber"])


def test_who_lapsed_sees_the_gap_and_pays_it_back(site: Site) -> None:
    phone = site.phone("lapsed")
    [ended] = phone.call("EnrolmentHistory")["enrolments"]
    assert (ended["status"]["code"], ended["movedTo"]) == ("ENDED", None)
    gap = phone.call("InsuranceGap")["insuranceGap"]
    assert gap["enrolmentId"] == ended["id"]
    assert gap["years"][0] == {"year": 2024, "status": None}
    assert gap["monthsLeast"] < gap["months"]
    asked = {"enrolmentId": gap["enrolmentId"], "year": 2024}
    bill = phone.do("AskForBill", **asked)
    assert (bill["repairs"], bill["status"]["code"], bill["own"]["yuan"]) == (True, "DUE", "400.00")
    assert phone.call("InsuranceGap")["insuranceGap"]["years"][0]["status"]["code"] == "DUE"
    refused = phone.do("AskForBill", **{**asked, "year": 2022})
    assert "不需要补缴" in refused["message"]
    assert site.phone("worker").call("InsuranceGap")["insuranceGap"] is None


def test_a_bad_rating_goes_between_phone_till_and_desk(site: Site) -> None:
    phone, till = site.phone("worker_9"), site.terminal()
    shown = phone.issue_code("PHARMACY_PURCHASE")
    scanned = till.do_once("DecodeCode", code=shown["text"], purpose="PHARMACY_PURCHASE")
    line = {"code": IBUPROFEN, "quantity": "1", "unitPrice": "9.00", "traceCodes": ["8" + "3" * 19]}
    bill = till.do_once("Presettle", token=scanned["token"], lines=[line], useAccount=True)
    settled = till.do_once("Settle", billId=bill["billId"])["settlementId"]
    refused = phone.do_once("RateSettlement", settlementId=settled, grade=1)
    assert "原因" in refused["message"]
    asked = {"settlementId": settled, "grade": 1, "reasons": ["WAITING"], "words": "等了一小时"}
    rating = phone.do_once("RateSettlement", **asked)
    assert rating["status"]["text"] == "等待机构答复"
    [waiting] = till.call("TillRatings")["ratingsToAnswer"]
    assert waiting["words"] == "等了一小时"
    appealed = till.do("WorkRating", ratingId=rating["ratingId"], event="APPEAL", words="不属实")
    assert appealed["state"] == "APPEALED"
    desk = at_desk(site, "CD1001")
    assert [one["ratingId"] for one in desk.call("DeskRatings")] == [rating["ratingId"]]
    decided = desk.do("DecideRating", ratingId=rating["ratingId"], uphold=True, words="情况属实")
    assert decided["state"] == "WAITING"
    till.do("WorkRating", ratingId=rating["ratingId"], event="ANSWER", words="已增开窗口")
    done = phone.do("SayOfRating", ratingId=rating["ratingId"], accept=True)
    assert done["state"] == "CLOSED"
    [mine] = phone.call("Ratings")["ratings"]
    assert [one["event"] for one in mine["steps"]] == ["APPEAL", "UPHOLD", "ANSWER", "ACCEPT"]
    score = site.anonymous().call("InstitutionScore", code="P51010400001")["institutionScore"]
    assert (score["count"], score["average"]) == (1, None)
