"""通知 over real HTTP: a push to a real gateway, one that is gone, the inbox, and the live feed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mobile_bff.processes import push_sandbox
from tests.api.conftest import Site, site_on
from tests.api.test_path_over_http import basket_line, scanned
from tests.world import IBUPROFEN, PHARMACY, phone_of


@pytest.fixture(scope="module")
def pushes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pushes") / "pushes.jsonl"


@pytest.fixture(scope="module")
def pushed_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pushes: Path
) -> Iterator[Site]:
    """A site whose push gateway fails at first."""
    folder = tmp_path_factory.mktemp("pushed")
    with (
        push_sandbox(pushes, "--fail-first", "1") as gateway,
        site_on("sqlite", request, folder, YIBAO_PUSH_GATEWAY_URL=gateway) as running,
    ):
        yield running


def lines_of(path: Path, kind: str, seconds: float = 20) -> list[dict[str, Any]]:
    """Return what stands in a mailbox of a kind, waiting for the first."""
    for _ in range(int(seconds * 20)):
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found = [one for one in map(json.loads, lines) if one["template"] == kind]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {kind} arrived in {path.name}")


def buys(site: Site, who: str) -> None:
    till, phone = site.terminal(PHARMACY), site.phone(who)
    token = scanned(phone, till)
    bill = till.do_once("Presettle", token=token, lines=[basket_line(IBUPROFEN, "12.00")])
    assert till.do_once("Settle", billId=bill["billId"])["__typename"] == "Settlement"


def test_a_payment_is_pushed_read_and_marked(pushed_site: Site, pushes: Path) -> None:
    phone = pushed_site.phone("worker")
    assert phone.do("RegisterPush", token="phone-1")["devices"] == 1
    with phone.events("Happenings") as events:
        buys(pushed_site, "worker")
        about = [next(events)["about"] for _ in range(3)]
    assert "NOTICE" in about
    [push] = lines_of(pushes, "paid")  # the first try met a fault
    assert (push["token"], push["title"]) == ("phone-1", "医保支付")
    page = phone.call("Notices")
    notice = page["edges"][0]["node"]
    assert (notice["kind"], notice["topic"], notice["readAt"]) == ("paid", "MONEY", None)
    assert notice["speechText"].startswith("医保支付。您在")
    assert phone.do("ReadNotices", upTo=notice["number"])["unread"] == 0
    assert phone.call("Notices", unreadOnly=True)["edges"] == []
    refused = phone.do("SetNoticeChoices", quietFrom="22:00", quietUntil="07:00", muted=["MONEY"])
    assert refused["code"] == "NOTICE_CHOICES_INVALID"


def test_a_phone_without_the_app_gets_a_message(pushed_site: Site) -> None:
    phone = pushed_site.phone("worker_2")
    phone.do("RegisterPush", token="gone-1")
    buys(pushed_site, "worker_2")
    found = lines_of(pushed_site.mailbox, "paid")
    assert [one["to"] for one in found] == [phone_of("worker_2")]
    assert phone.call("NoticeChoices")["devices"] == 0


def test_an_elder_is_called(pushed_site: Site) -> None:
    phone = pushed_site.phone("retiree")
    phone.do("SetPreferences", elderMode=True, noticeBy="CALL")
    quiet = phone.do("SetNoticeChoices", quietFrom="12:00", quietUntil="12:00", muted=[])
    assert quiet["quietFrom"] == quiet["quietUntil"]
    buys(pushed_site, "retiree")
    for _ in range(400):
        calls = [one for one in lines_of(pushed_site.mailbox, "paid") if one.get("call")]
        if calls:
            break
        time.sleep(0.05)
    assert calls[0]["to"] == phone_of("retiree")
    assert calls[0]["text"].startswith("医保支付。")
