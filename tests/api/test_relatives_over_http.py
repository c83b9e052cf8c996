"""A daughter shows her father's code and pays within his limit, over real HTTP."""

from __future__ import annotations

import json
import time
from typing import Any

from backend.infra.database import Database
from backend.people import queries as people
from mobile_bff.client import Client
from tests.api.conftest import Site
from tests.world import IBUPROFEN, ManualClock, World, phone_of, resources_for


def identity_of(site: Site, key: str) -> tuple[str, str]:
    clock = ManualClock()
    database = Database(resources_for(site.database_url, site.keys_file, clock))
    world = World(database, clock)
    known = database.read(lambda u: people.particulars(u, world.person(key)))
    database.close()
    return known.name, known.id_number


def newest(site: Site, phone: str, template: str) -> dict[str, Any]:
    for _ in range(200):
        lines = map(json.loads, site.mailbox.read_text(encoding="utf-8").splitlines())
        found = [m for m in lines if m["to"] == phone and m["template"] == template]
        if found:
            return dict(found[-1])
        time.sleep(0.05)
    raise AssertionError(f"no {template} for {phone}")


def buy(site: Site, phone: Client, subject: str, price: str, pack: str) -> dict[str, Any]:
    till = site.terminal()
    code = phone.do_once("IssueCode", purpose="PHARMACY_PURCHASE", subjectId=subject)
    scanned = till.do_once("DecodeCode", code=code["text"], purpose="PHARMACY_PURCHASE")
    lines = [{"code": IBUPROFEN, "quantity": "1", "unitPrice": price, "traceCodes": [pack]}]
    bill = till.do_once("Presettle", token=scanned["token"], lines=lines)
    return bill if "code" in bill else till.do_once("Settle", billId=bill["billId"])


def test_a_daughter_and_her_father(site: Site) -> None:
    daughter, father = site.phone("worker"), site.phone("retiree")
    name, number = identity_of(site, "retiree")
    asked = {"ownerName": name, "ownerIdNumber": number, "relation": "PARENT"}
    unknown = daughter.do_once(
        "RequestBinding", **{**asked, "ownerName": "某某", "scopes": ["VIEW_INFO"]}
    )
    assert unknown["code"] == "RELATIVE_UNKNOWN"
    scopes = ["VIEW_INFO", "SHOW_CODE"]
    made = daughter.do_once("RequestBinding", **asked, scopes=scopes)
    assert made["status"]["text"] == "等待本人同意"
    binding, owner = made["bindingId"], made["ownerId"]
    refused = daughter.do_once("IssueCode", purpose="PHARMACY_PURCHASE", subjectId=owner)
    assert refused["code"] == "NOT_PERMITTED"
    sent = daughter.do("AskConsent", bindingId=binding, kind="BIND")
    assert sent["kind"] == "BIND"
    code = newest(site, phone_of("retiree"), "consent_bind")["code"]
    active = daughter.do("ConsentByCode", bindingId=binding, code=code)
    assert (active["state"], active["consentedBy"]) == ("ACTIVE", "CODE_READ_OUT")
    assert buy(site, daughter, owner, "40.00", "8" + "1" * 19)["code"] == "PROXY_LIMIT_REACHED"
    given = father.do("GiveConsent", bindingId=binding, kind="PAY", payLimitFen=5_000)
    assert given["payLimit"]["yuan"] == "50.00"
    settled = buy(site, daughter, owner, "40.00", "8" + "2" * 19)
    assert settled["account"]["yuan"] == "40.00"
    seen = father.call("Family")
    assert [one["delegateName"] for one in seen["family"]["actedForBy"]] == ["李*例"]
    acts = seen["proxyActs"]
    assert acts[0]["text"].endswith("李*例为您确认或支付了一笔结算，从您的个人账户支付40.00元。")
    assert "*" not in acts[0]["speechText"]
    told = newest(site, phone_of("retiree"), "relative_acted")
    assert told["who"] == "李*例"
    assert father.do("EndBinding", bindingId=binding)["state"] == "REVOKED_BY_OWNER"
    over = daughter.do_once("IssueCode", purpose="PHARMACY_PURCHASE", subjectId=owner)
    assert over["code"] == "NOT_PERMITTED"


def test_elder_mode_belongs_to_the_person(site: Site) -> None:
    elder = site.phone("retiree_2")
    assert elder.call("Preferences") == {
        "elderMode": False,
        "elderModeOffered": True,
        "noticeBy": "MESSAGE",
    }
    chosen = elder.do("SetPreferences", elderMode=True, noticeBy="CALL")
    assert (chosen["elderMode"], chosen["noticeBy"]) == (True, "CALL")
    home = elder.call("Home")
    assert [tile["title"] for tile in home["tiles"]] == [
        *("出示医保码", "亲属帮我办", "账户余额", "看病买药记录", "找医院", "打电话求助")
    ]
    assert home["tiles"][-1]["phone"] == "12393"
    assert all(tile["speechText"] and len(tile["title"]) <= 8 for tile in home["tiles"])
    assert all(tile["state"] != "PLANNED" for tile in home["tiles"])
    others = site.phone("worker_2").call("Home")
    assert (others["elderMode"], len(others["tiles"]) > 10) == (False, True)
    assert not site.phone("worker_2").call("Preferences")["elderModeOffered"]
