"""A report of misuse over real HTTP: a photograph, two inspectors, a reward, and a neutral message."""

from __future__ import annotations

import hashlib
import json
from datetime import time

from backend.appointments.logic import at
from backend.infra.clock import SystemClock
from backend.infra.database import Database
from backend.infra.outbox import Delivery
from backend.kernel.calendar import local_day
from backend.reports.handling import take_in
from backend.reports.telling import notify_reporters
from tests.api.conftest import Site
from tests.api.test_desk_over_http import at_desk
from tests.usecases.test_reports import FACTS, photo
from tests.world import PHARMACY, ManualClock, resources_for


def test_a_report_is_lodged_by_name_found_by_two_and_rewarded(site: Site) -> None:
    phone, anybody = site.phone("worker"), site.anonymous()
    said = {"realName": True, "kind": "SWAPPED", "institutionCode": PHARMACY}
    refused = phone.do_once("LodgeReport", **said, facts="有问题")
    assert refused["code"] == "REPORT_NOT_POSSIBLE"
    assert anybody.do_once("LodgeReport", **said, facts=FACTS)["code"] == "SIGN_IN_REQUIRED"
    receipt = phone.do_once("LodgeReport", **said, facts=FACTS)
    assert len(receipt["secret"]) == 27
    mine = {"x-report-secret": receipt["secret"]}
    files = {"file": ("李样例.jpg", photo(), "image/jpeg")}
    sent = site.http.post(f"{site.url}/reports/evidence", files=files, headers=mine)
    assert (sent.status_code, sent.json()["name"]) == (200, "evidence-1.jpg")
    for headers in ({}, {"x-report-secret": "A"}):
        turned = site.http.post(f"{site.url}/reports/evidence", files=files, headers=headers)
        assert (turned.status_code, turned.json()["code"]) == (404, "REPORT_NOT_FOUND")
    shown = anybody.call("Report", secret=receipt["secret"])["report"]
    assert shown["state"] in ("LODGED", "RECEIVED")  # the server takes reports in by itself
    assert shown["realName"] is True
    assert anybody.call("Report", secret="A")["report"] is None

    inspector, second = at_desk(site, "JG1001"), at_desk(site, "JG1002")
    database = Database(resources_for(site.database_url, site.keys_file, SystemClock()))
    database.write(take_in)
    [waiting] = inspector.call("DeskReports")
    assert (waiting["number"], waiting["facts"]) == (receipt["number"], FACTS)
    assert "李样例" not in json.dumps(waiting, ensure_ascii=False)
    picture = site.http.get(
        f"{site.url}/reports/evidence/{waiting['evidence'][0]['evidenceId']}",
        headers={"authorization": f"Bearer {inspector.token}"},
    )
    assert hashlib.sha256(picture.content).hexdigest() == sent.json()["digest"]
    clerk = {"authorization": f"Bearer {at_desk(site, 'CD1001').token}"}
    turned = site.http.get(picture.request.url, headers=clerk)
    assert turned.status_code == 404
    one = {"reportId": receipt["reportId"], "words": "已核查"}
    assert inspector.do("WorkReport", **one, event="OPEN")["state"] == "OPENED"
    found = inspector.do("WorkReport", **one, event="FIND", true=True, valueYuan=150_000)
    assert found["state"] == "FOUND"
    done = second.do("WorkReport", **one, event="CONFIRM_TRUE")
    assert (done["state"], done["rewardAmount"]["yuan"]) == ("TRUE", "2750.00")

    handed: list[Delivery] = []
    noon = ManualClock(at(local_day(SystemClock().now()), time(12)))
    by_day = Database(resources_for(site.database_url, site.keys_file, noon))
    notify_reporters(by_day, handed.append)
    for one_of in (database, by_day):
        one_of.close()
    [told] = handed
    assert (told.kind, json.loads(told.payload)) == ("notice_waiting", {"to": "12000000001"})
    account = {"holder": "李样例", "bank": "样例银行", "number": "9901000000000001"}
    claimed = anybody.do("ClaimReward", secret=receipt["secret"], **account)
    assert claimed["rewardStatus"]["code"] == "CLAIMED"
    [payout] = at_desk(site, "CD1002").call("RewardPayouts")
    assert (payout["holder"], payout["amount"]["yuan"]) == ("李样例", "2750.00")
    [own] = phone.call("MyReports")["myReports"]
    assert own["reward"] == "CLAIMED"
