"""One scan for all of a bill over real HTTP: a wallet's agreement, and a bank's credit, both badly behaved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from mobile_bff.processes import bank_credit, free_port, unionpay, wechat_pay
from tests.api.conftest import site_on
from tests.api.test_paying_over_http import Shop, until

_LIMITS = {"perPaymentFen": 20_000, "perDayFen": 50_000}


@dataclass
class Till(Shop):
    """A till whose customers may have an agreement with a wallet, or a bank's credit."""

    bank: str = ""
    union: str = ""

    def asks(self, key: str, channel: str) -> dict[str, Any]:
        phone = self.site.phone(key)
        self.proves(phone, key)
        return phone.do_once("AskAgreement", channel=channel, consents=True, **_LIMITS)

    def agreement(self, key: str, *states: str) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            newest: dict[str, Any] = self.site.phone(key).call("Agreements")["agreements"][0]
            return newest

        return until(look, lambda found: found["state"] in states)

    def at(self, base: str, path: str, **said: Any) -> httpx.Response:
        done = httpx.post(f"{base}/sandbox/{path}", json=said, trust_env=False, timeout=20)
        assert done.status_code == 200
        return done

    def pays_at_till(self, key: str) -> dict[str, Any]:
        bill = self.bill(key)
        self.proves(self.site.phone(key), key)
        self.site.phone(key).do_once("ConfirmBill", billId=bill)
        paid: dict[str, Any] = self.site.terminal().do_once("PayAtTill", billId=bill)
        return paid

    def books(self) -> dict[str, int]:
        found: dict[str, int] = httpx.get(f"{self.bank}/sandbox/books", trust_env=False).json()
        return found


@pytest.fixture(scope="module")
def till(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Till]:
    folder = tmp_path_factory.mktemp("till")
    keys, port = folder / "channels", free_port()
    with (
        wechat_pay(keys / "wechat") as wechat,
        bank_credit(keys / "bank") as bank,
        unionpay(keys / "unionpay") as union,
        site_on(
            "sqlite",
            request,
            folder,
            port=port,
            YIBAO_CHANNEL_KEYS=str(keys),
            YIBAO_WECHAT_URL=wechat,
            YIBAO_BANK_URL=bank,
            YIBAO_UNIONPAY_URL=union,
            YIBAO_AGREEMENT_LOOK_SECONDS="1",
            YIBAO_PUBLIC_URL=f"http://127.0.0.1:{port}",
        ) as site,
    ):
        yield Till(site, wechat, keys / "wechat", bank=bank, union=union)


def test_the_code_pays_the_cash_too(till: Till) -> None:
    page = till.site.phone("worker").call("Agreements")
    assert (page["agreementChannels"], page["agreements"]) == (
        ["CREDIT", "UNIONPAY", "WECHAT"],
        [],
    )
    asked = till.asks("worker", "WECHAT")
    assert (asked["state"], asked["pay"][0]["name"]) == ("ASKED", "pre_entrustweb_id")
    told = till.at(till.sandbox, "sign", out_contract_code=asked["number"]).json()
    assert told == {
        "heard": True
    }  # the wallet calls back, and the agreement is asked about at once
    till.agreement("worker", "SIGNED")
    paid = till.pays_at_till("worker")
    assert (paid["state"], paid["byAgreement"]) == ("SETTLED", True)
    assert [paid[part]["yuan"] for part in ("total", "cash")] == ["398.00", "98.00"]
    done = till.site.terminal().do_once(
        "ReverseSettlement", settlementId=paid["settlementId"], reason="退货"
    )
    assert done["kind"] == "REVERSAL"
    assert till.becomes(paid, "RETURNED")["returned"]["yuan"] == "98.00"


def test_an_empty_wallet_a_lost_answer_and_an_end_in_the_wallet(till: Till) -> None:
    asked = till.asks("worker_2", "WECHAT")
    till.at(till.sandbox, "sign", out_contract_code=asked["number"])
    till.agreement("worker_2", "SIGNED")
    till.behaves(poor=1)
    refused = till.pays_at_till("worker_2")
    assert (refused["state"], refused["why"]) == ("RELEASED", "CHANNEL_REFUSED")
    settled = till.site.terminal().do_once("Settle", billId=refused["billId"])
    assert settled["settlementId"]
    till.behaves(lose=1, hush=1)
    lost = till.pays_at_till("worker_2")
    assert till.becomes(lost, "SETTLED", key="worker_2")["cash"]["yuan"] == "98.00"
    till.at(till.sandbox, "unsign", out_contract_code=asked["number"])
    till.agreement("worker_2", "ENDED")
    none = till.site.terminal().call(
        "PayAtTill", input={"billId": till.bill("worker_2"), "requestId": "k" * 36}
    )
    assert none["__typename"] in ("NoAgreement", "PatientMustConfirm")


def test_a_bank_grants_pays_and_is_paid_back(till: Till) -> None:
    asked = till.asks("worker_3", "CREDIT")
    assert asked["state"] == "ASKED"
    till.at(till.bank, "review", agreement=asked["number"], limit=100_000)
    one = till.agreement("worker_3", "SIGNED")
    assert one["credit"]["left"]["yuan"] == "1000.00"
    till.at(till.bank, "behave", lose=1, forge=1, stale=1, fail=1, busy=1)
    paid = till.pays_at_till("worker_3")
    paid = till.becomes(paid, "SETTLED", key="worker_3")
    assert till.books() == {"paid": 9800, "refunded": 0, "repaid": 0, "trades": 1}
    phone = till.site.phone("worker_3")

    def owes(yuan: str) -> dict[str, Any]:
        return until(
            lambda: phone.call("Agreements")["agreements"][0],
            lambda found: found["credit"]["open"]["yuan"] == yuan,
        )

    [bill] = owes("98.00")["credit"]["bills"]
    assert (bill["number"], bill["open"]["yuan"]) == (paid["number"], "98.00")
    till.at(till.bank, "days", days=57)
    late = until(
        lambda: phone.call("Agreements")["agreements"][0],
        lambda found: found["credit"]["overdue"]["yuan"] == "98.00",
    )
    assert late["credit"]["left"]["yuan"] == "0.00"
    till.at(till.bank, "behave", poor=1, lose=2)
    for state in ("FAILED", "DONE"):
        till.proves(phone, "worker_3")
        phone.do_once("RepayCredit", agreementId=one["agreementId"])
        until(
            lambda: phone.call("Agreements")["agreements"][0]["repayments"][0],
            lambda found, want=state: found["state"] == want,  # type: ignore[misc]
        )
    owes("0.00")
    assert till.books()["repaid"] == 9800
    ended = phone.call("EndAgreement", agreementId=one["agreementId"])
    assert ended["state"] in ("ENDING", "ENDED")


def test_a_bank_declines(till: Till) -> None:
    asked = till.asks("worker_4", "CREDIT")
    till.at(till.bank, "review", agreement=asked["number"], limit=0)
    assert till.agreement("worker_4", "DECLINED")["credit"] is None


def test_a_card_of_any_bank_by_unionpays_token(till: Till) -> None:
    asked = till.asks("worker_5", "UNIONPAY")
    form = {one["name"]: one["value"] for one in asked["pay"]}
    page = httpx.post(form.pop("url"), data=form, trust_env=False)
    assert "respCode=00" in page.text  # the patient is on UnionPay's own page
    till.at(till.union, "open", orderId=asked["number"])
    till.agreement("worker_5", "SIGNED")
    paid = till.pays_at_till("worker_5")
    paid = till.becomes(paid, "SETTLED", key="worker_5")
    assert (paid["channel"], paid["cash"]["yuan"]) == ("UNIONPAY", "98.00")
    till.at(till.union, "behave", poor=1, stranger=1)
    refused = till.becomes(till.pays_at_till("worker_5"), "RELEASED", "SETTLED", key="worker_5")
    assert (refused["state"], refused["why"]) == ("RELEASED", "CHANNEL_REFUSED")
    phone = till.site.phone("worker_5")
    phone.call("EndAgreement", agreementId=asked["agreementId"])
    till.agreement("worker_5", "ENDED")
    again = till.asks("worker_5", "UNIONPAY")
    form = {one["name"]: one["value"] for one in again["pay"]}
    httpx.post(form.pop("url"), data=form, trust_env=False)
    till.at(till.union, "open", orderId=again["number"])
    till.agreement("worker_5", "SIGNED")
    till.at(till.union, "unopen", orderId=again["number"])
    till.agreement("worker_5", "ENDED")
