"""Paying through WeChat Pay's real protocol: server, sandbox and callbacks over real HTTP, badly behaved."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from backend.infra.clock import SystemClock
from backend.infra.settings import Settings
from backend.kernel.calendar import local_day
from backend.orders.contracts import LineKind
from mobile_bff.channels.wechat import WechatChannel, WechatKeys
from mobile_bff.client import Client
from mobile_bff.processes import free_port, newest_code, wechat_pay
from tests.api.conftest import Site, site_on
from tests.world import EJIAO, IBUPROFEN, phone_of

BASKET = (
    {"code": IBUPROFEN, "quantity": "1", "unitPrice": "300.00"},
    {"code": EJIAO, "quantity": "1", "unitPrice": "98.00"},
)
SECONDS_MAX = 40


@dataclass
class Shop:
    """A site with a till, and the sandbox that collects its customers' cash."""

    site: Site
    sandbox: str
    keys: Path
    channel: str = "WECHAT"
    serial: int = 0

    def bill(self, key: str = "worker") -> str:
        """Return a bill that waits to be paid."""
        till = self.site.terminal()
        shown = self.site.phone(key).issue_code("PHARMACY_PURCHASE")
        scanned = till.do_once("DecodeCode", code=shown["text"], purpose="PHARMACY_PURCHASE")
        lines = []
        for line in BASKET:
            self.serial += 1
            lines.append({**line, "traceCodes": [f"8{self.serial:019d}"]})
        bill = till.do_once("Presettle", token=scanned["token"], lines=lines, useAccount=True)
        return str(bill["billId"])

    def begins(self, key: str = "worker") -> dict[str, Any]:
        """Let somebody begin to pay a bill."""
        phone = self.site.phone(key)
        bill = self.bill(key)
        self.proves(phone, key)
        return phone.do_once("PayBill", billId=bill, channel=self.channel)

    def proves(self, phone: Client, key: str) -> None:
        """Let whoever holds the phone show that it is theirs."""
        phone.do("RequestStepUpCode")
        code = newest_code(self.site.mailbox, phone_of(key))
        phone.do("StepUp", proof="SMS_CODE", secret=code)

    def behaves(self, **faults: int) -> None:
        httpx.post(f"{self.sandbox}/sandbox/behave", json=faults, trust_env=False)

    def pays(self, payment: dict[str, Any]) -> None:
        named = {"WECHAT": "out_trade_no", "UNIONPAY": "orderId"}[self.channel]
        done = httpx.post(
            f"{self.sandbox}/sandbox/pay", json={named: payment["number"]}, trust_env=False
        )
        assert done.status_code == 200

    def becomes(self, payment: dict[str, Any], *states: str, key: str = "worker") -> dict[str, Any]:
        """Wait until a payment has come to one of some states."""

        def look() -> dict[str, Any]:
            found = self.site.phone(key).call("Payment", paymentId=payment["paymentId"])
            assert isinstance(found, dict)
            return found

        return until(look, lambda found: found["state"] in states)


def until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + SECONDS_MAX
    while not good(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    keys, port = folder / "channels", free_port()
    with (
        wechat_pay(keys / "wechat") as wechat,
        site_on(
            "sqlite",
            request,
            folder,
            port=port,
            YIBAO_CHANNEL_KEYS=str(keys),
            YIBAO_WECHAT_URL=wechat,
            YIBAO_PUBLIC_URL=f"http://127.0.0.1:{port}",
        ) as site,
    ):
        yield Shop(site, wechat, keys / "wechat")


def test_a_customer_pays_and_the_till_hears_of_it(shop: Shop) -> None:
    assert shop.site.phone("worker").call("Payments")["channels"] == ["WECHAT"]
    payment = shop.begins()
    assert payment["state"] == "CASH_PENDING"
    assert [payment[part]["yuan"] for part in ("total", "fund", "account", "cash")] == [
        "398.00",
        "50.00",
        "250.00",
        "98.00",
    ]
    given = {one["name"]: one["value"] for one in payment["pay"]}
    signed = "".join(f"{given[name]}\n" for name in ("appid", "timestamp", "noncestr", "prepayid"))
    public = serialization.load_pem_public_key((shop.keys / "merchant_public.pem").read_bytes())
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(
        base64.b64decode(given["sign"]), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED")
    assert settled["settlementId"]
    assert settled["tradeNumber"]
    till = shop.site.terminal()
    [waiting] = till.call("TillPayments")["unnotedPayments"]
    assert waiting["paymentId"] == payment["paymentId"]
    assert till.do_once("TakeNoteOfPayment", paymentId=payment["paymentId"])["state"] == "TOLD"
    assert till.call("TillPayments")["unnotedPayments"] == []
    [newest] = shop.site.phone("worker").call("Payments", first=1)["payments"]
    assert newest["status"]["text"] == "支付成功，机构已确认"


def test_the_next_payment_is_reversed_and_both_halves_come_back(shop: Shop) -> None:
    payment = shop.begins("worker_2")
    shop.behaves(refund_waits=2)
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED", key="worker_2")
    done = shop.site.terminal().do_once(
        "ReverseSettlement", settlementId=settled["settlementId"], reason="退货"
    )
    assert done["kind"] == "REVERSAL"
    back = shop.becomes(payment, "RETURNED", key="worker_2")
    assert (back["returned"]["yuan"], back["why"]) == ("98.00", "TAKEN_BACK")
    assert back["returnBy"]
    shop.behaves(refund_waits=0)


def test_a_storm_a_lost_answer_and_no_callback_at_all(shop: Shop) -> None:
    shop.behaves(fail=1, lose=1, forge=1, hush=1)
    payment = shop.begins("worker_3")
    assert payment["state"] == "QUERYING"
    open_now = shop.becomes(payment, "CASH_PENDING", key="worker_3")
    assert open_now["pay"]
    shop.pays(payment)
    assert shop.becomes(payment, "SETTLED", key="worker_3")["cash"]["yuan"] == "98.00"


def test_forged_and_doubled_callbacks_change_nothing(shop: Shop) -> None:
    shop.behaves(fake=1, twice=1)
    payment = shop.begins("worker_4")
    forged = httpx.post(
        f"{shop.site.url}/channels/wechat/notify",
        json={"resource_type": "encrypt-resource", "resource": {}},
        headers={
            "Wechatpay-Signature": "AAAA",
            "Wechatpay-Timestamp": str(int(time.time())),
            "Wechatpay-Nonce": "x",
            "Wechatpay-Serial": "x",
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        },
        trust_env=False,
    )
    assert forged.status_code == 401
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED", key="worker_4")
    time.sleep(1)
    again = shop.becomes(payment, "SETTLED", key="worker_4")
    assert [one["event"] for one in again["steps"]] == ["ASK", "PAY", "SETTLE"]
    assert again["settlementId"] == settled["settlementId"]


def test_who_cancels_pays_nothing(shop: Shop) -> None:
    payment = shop.begins("worker_5")
    done = shop.site.phone("worker_5").do_once("CancelPayment", paymentId=payment["paymentId"])
    assert (done["state"], done["why"]) == ("RELEASED", "CANCELLED")
    paid = httpx.post(
        f"{shop.sandbox}/sandbox/pay", json={"out_trade_no": payment["number"]}, trust_env=False
    )
    assert paid.status_code == 404  # the channel has closed it
    refused = shop.site.phone("worker_5").do_once("CancelPayment", paymentId=payment["paymentId"])
    assert refused["code"] == "ORDER_NOT_OPEN"


def test_a_refund_that_fails_is_shown_as_such(shop: Shop) -> None:
    payment = shop.begins("worker_6")
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED", key="worker_6")
    shop.behaves(refund_fails=1)
    shop.site.terminal().do_once(
        "ReverseSettlement", settlementId=settled["settlementId"], reason="退货"
    )
    stuck = shop.becomes(payment, "RETURN_FAILED", key="worker_6")
    assert "12393" in stuck["status"]["nextAction"]


def test_strangers_see_nothing_and_no_other_channel_is_offered(shop: Shop) -> None:
    payment = shop.begins("worker_7")
    stranger = shop.site.phone("worker")
    assert stranger.call("Payment", paymentId=payment["paymentId"]) is None
    refused = stranger.do_once("CancelPayment", paymentId=payment["paymentId"])
    assert refused["code"] == "ORDER_NOT_FOUND"
    shop.site.phone("worker_7").do_once("CancelPayment", paymentId=payment["paymentId"])


def test_the_channels_own_file_of_the_day_is_read_whole_or_not_at_all(shop: Shop) -> None:
    keys = WechatKeys.in_folder(shop.keys)
    assert keys is not None
    settings = Settings(wechat_url=shop.sandbox)
    channel = WechatChannel(settings, keys, SystemClock())
    today = local_day(SystemClock().now())
    assert channel.file_of(today - timedelta(days=40)) == []
    payment = shop.begins("worker_8")
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED", key="worker_8")
    shop.site.terminal().do_once(
        "ReverseSettlement", settlementId=settled["settlementId"], reason="退货"
    )
    shop.becomes(payment, "RETURNED", key="worker_8")
    lines = [one for one in channel.file_of(today) or () if one.number == payment["number"]]
    assert [(one.kind, one.amount_fen) for one in lines] == [
        (LineKind.PAID, 9800),
        (LineKind.RETURNED, 9800),
    ]
    assert lines[0].trade_number.startswith("42")
    assert lines[1].return_number.startswith("YR")
    shop.behaves(tear=1)
    assert channel.file_of(today) is None
    shop.behaves(fail=1)
    assert channel.file_of(today) is None
