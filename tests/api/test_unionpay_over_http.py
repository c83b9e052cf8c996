"""Paying through UnionPay's real protocol: server, sandbox and callbacks over real HTTP, badly behaved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from backend.infra.clock import SystemClock
from backend.infra.settings import Settings
from backend.kernel.calendar import local_day
from backend.orders.contracts import LineKind
from mobile_bff.channels.unionpay import UnionpayChannel, UnionpayKeys, _digest
from mobile_bff.processes import free_port, unionpay
from tests.api.conftest import site_on
from tests.api.test_paying_over_http import Shop


@pytest.fixture(scope="module")
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("bank")
    keys, port = folder / "channels", free_port()
    with (
        unionpay(keys / "unionpay") as bank,
        site_on(
            "sqlite",
            request,
            folder,
            port=port,
            YIBAO_CHANNEL_KEYS=str(keys),
            YIBAO_UNIONPAY_URL=bank,
            YIBAO_PUBLIC_URL=f"http://127.0.0.1:{port}",
            YIBAO_PAY_SECONDS="25",
        ) as site,
    ):
        yield Shop(site, bank, keys / "unionpay", "UNIONPAY")


def keys_of(shop: Shop) -> UnionpayKeys:
    keys = UnionpayKeys.in_folder(shop.keys)
    assert keys is not None
    return keys


def test_a_customer_scans_the_code_with_their_banks_app(shop: Shop) -> None:
    assert shop.site.phone("worker").call("Payments")["channels"] == ["UNIONPAY"]
    payment = shop.begins()
    assert payment["state"] == "CASH_PENDING"
    [code] = payment["pay"]
    assert code["name"] == "qrCode"
    assert code["value"].startswith("https://qr.95516.com/00010000/")
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED")
    assert (settled["cash"]["yuan"], len(settled["tradeNumber"])) == ("98.00", 21)
    assert [one["event"] for one in settled["steps"]] == ["ASK", "PAY", "SETTLE"]


@pytest.mark.parametrize(
    ("who", "faults"),
    [("worker_2", ("fail", "lose", "hush")), ("retiree", ("forge", "stranger", "busy"))],
)
def test_a_storm_lost_and_forged_answers_and_no_callback(
    shop: Shop, who: str, faults: tuple[str, ...]
) -> None:
    shop.behaves(**dict.fromkeys(faults, 1))
    payment = shop.begins(who)
    open_now = shop.becomes(payment, "CASH_PENDING", key=who)
    shop.pays(open_now)
    assert shop.becomes(payment, "SETTLED", key=who)["cash"]["yuan"] == "98.00"


def test_forged_and_doubled_callbacks_change_nothing(shop: Shop) -> None:
    shop.behaves(fake=1, twice=1)
    payment = shop.begins("worker_3")
    form = {
        "merId": "777290058110097",
        "orderId": payment["number"],
        "txnType": "01",
        "respCode": "00",
        "txnAmt": "9800",
        "signPubKeyCert": (shop.keys / "merchant_cert.pem").read_text(),
    }
    keys = keys_of(shop)
    own = keys.key.sign(_digest(form), padding.PKCS1v15(), hashes.SHA256())
    address = f"{shop.site.url}/channels/unionpay/notify"
    for signature in ("AAAA", "", own.hex()):  # a merchant of the same authority is not UnionPay
        sent = httpx.post(address, data={**form, "signature": signature}, trust_env=False)
        assert sent.status_code == 401
    assert shop.becomes(payment, "CASH_PENDING", key="worker_3")["state"] == "CASH_PENDING"
    shop.pays(payment)
    shop.becomes(payment, "SETTLED", key="worker_3")
    time.sleep(1)
    again = shop.becomes(payment, "SETTLED", key="worker_3")
    assert [one["event"] for one in again["steps"]] == ["ASK", "PAY", "SETTLE"]


def test_a_reversal_gives_the_cash_back_however_long_it_takes(shop: Shop) -> None:
    payment = shop.begins("worker_4")
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED", key="worker_4")
    shop.behaves(refund_waits=2, lose=1)
    till = shop.site.terminal()
    till.do_once("ReverseSettlement", settlementId=settled["settlementId"], reason="退货")
    back = shop.becomes(payment, "RETURNED", key="worker_4")
    assert back["returned"]["yuan"] == "98.00"
    shop.behaves(refund_waits=0)


def test_a_refund_that_fails_is_shown_as_such(shop: Shop) -> None:
    payment = shop.begins("worker_5")
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED", key="worker_5")
    shop.behaves(refund_fails=1)
    till = shop.site.terminal()
    till.do_once("ReverseSettlement", settlementId=settled["settlementId"], reason="退货")
    assert shop.becomes(payment, "RETURN_FAILED", key="worker_5")["why"] == "TAKEN_BACK"


def test_a_code_cannot_be_closed_and_runs_out(shop: Shop) -> None:
    """Whoever cancels waits until nobody can pay any more; who pays in between gets it back."""
    first, second = shop.begins("worker_6"), shop.begins("worker_7")
    for payment, who in ((first, "worker_6"), (second, "worker_7")):
        done = shop.site.phone(who).do_once("CancelPayment", paymentId=payment["paymentId"])
        assert done["state"] == "CASH_PENDING"
    shop.pays(first)
    assert shop.becomes(first, "RETURNED", key="worker_6")["why"] == "CANCELLED"
    gone = shop.becomes(second, "RELEASED", key="worker_7")
    assert (gone["why"], gone["returned"]["yuan"]) == ("CANCELLED", "0.00")


def test_the_file_of_the_day_is_read_whole_or_not_at_all(shop: Shop) -> None:
    settings = Settings(unionpay_url=shop.sandbox)
    channel = UnionpayChannel(settings, keys_of(shop), SystemClock())
    today = local_day(SystemClock().now())
    assert channel.file_of(today - timedelta(days=40)) == []
    payment = shop.begins("worker_8")
    shop.pays(payment)
    settled = shop.becomes(payment, "SETTLED", key="worker_8")
    till = shop.site.terminal()
    till.do_once("ReverseSettlement", settlementId=settled["settlementId"], reason="退货")
    shop.becomes(payment, "RETURNED", key="worker_8")
    lines = channel.file_of(today) or []
    paid = [one for one in lines if one.number == payment["number"]]
    assert [(one.kind, one.amount_fen) for one in paid] == [(LineKind.PAID, 9800)]
    assert paid[0].trade_number == settled["tradeNumber"]
    back = [one for one in lines if one.kind is LineKind.RETURNED]
    assert len(back) == 3
    assert all((one.number, one.amount_fen) == ("", 9800) for one in back)
    assert all(one.return_number.startswith("YR") for one in back)
    for fault in ("tear", "fail", "forge", "lose"):
        shop.behaves(**{fault: 1})
        assert channel.file_of(today) is None
