"""Asking for a part of a purchase back, and an institution's day, by the app's own documents over HTTP."""

from __future__ import annotations

from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_day
from tests.api.conftest import Site
from tests.api.test_path_over_http import basket_line, scanned
from tests.world import EJIAO, IBUPROFEN


def test_a_part_is_asked_for_granted_and_seen_on_both_sides(site: Site) -> None:
    phone, till = site.phone("worker"), site.terminal()
    token = scanned(phone, till)
    lines = [basket_line(IBUPROFEN, "40.00"), basket_line(EJIAO, "98.00")]
    bill = till.do_once("Presettle", token=token, lines=lines, useAccount=True)
    settled = till.do_once("Settle", billId=bill["billId"])
    refused = phone.do_once(
        "AskRefund",
        settlementId=settled["settlementId"],
        words="买错了",
        lines=[{"number": 2, "quantity": "2"}],
    )
    assert refused["__typename"] == "RefundNotPossible"
    assert "与结算明细不符" in refused["message"]
    asked = phone.do_once(
        "AskRefund",
        settlementId=settled["settlementId"],
        words="买错了",
        lines=[{"number": 2, "quantity": "1"}],
    )
    assert (asked["state"], asked["cash"]["yuan"]) == ("ASKED", "98.00")
    assert asked["lines"][0]["quantity"] == "1"
    [waiting] = till.call("TillRefunds")["refundsToDecide"]
    unscanned = till.do_once("DecideRefund", refundId=waiting["refundId"], grant=True)
    assert unscanned["__typename"] == "RefundNotPossible"
    assert "追溯码" in unscanned["message"]
    granted = till.do_once(
        "DecideRefund",
        refundId=waiting["refundId"],
        grant=True,
        packs=lines[1]["traceCodes"],
        words="已收回",
    )
    assert (granted["state"], granted["answer"]) == ("GRANTED", "已收回")
    [mine, *_] = phone.call("Refunds")["refunds"]
    assert mine["keptSettlementId"] == granted["keptSettlementId"]
    own = till.do_once(
        "RefundLines",
        settlementId=granted["keptSettlementId"],
        lines=[{"number": 1, "quantity": "1"}],
        packs=lines[0]["traceCodes"],
        words="召回",
    )
    assert (own["state"], own["keptSettlementId"], own["total"]["yuan"]) == (
        "GRANTED",
        None,
        "40.00",
    )


def test_an_institution_compares_its_day(site: Site) -> None:
    till = site.terminal()
    [yesterday, *_] = till.call("TillStatements", days=1)["statements"]
    assert (yesterday["state"], yesterday["ours"]["count"]) == ("OPEN", 0)
    stated = {"day": yesterday["day"], "insurance": "EMPLOYEE"}
    line = {"settlementId": "x", "totalFen": 1, "fundFen": 0, "accountFen": 0, "cashFen": 1}
    said = till.do_once("CompareLines", **stated, lines=[line])
    assert (said["state"], said["mismatches"][0]["kind"]) == ("UNBALANCED", "ONLY_THERE")
    nothing = {"count": 0, "totalFen": 0, "fundFen": 0, "accountFen": 0, "cashFen": 0}
    balanced = till.do_once("CompareTotals", **stated, **nothing)
    assert (balanced["status"]["text"], balanced["mismatches"]) == ("账平", [])
    today = local_day(SystemClock().now()).isoformat()
    refused = till.do_once("CompareTotals", **{**stated, "day": today}, **nothing)
    assert refused["__typename"] == "StatementNotPossible"
    assert "当天尚未结束" in refused["message"]
