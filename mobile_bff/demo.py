"""``yibao demo``: a real purchase through the public API, from sign-in to receipt and reversal.

Everything is real: a server process, a gateway sandbox process, HTTP and WebSocket between them. Only
the people and the institutions are samples.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from backend.infra.database import make_engine
from backend.infra.settings import Settings
from backend.kernel.calendar import local_minute
from backend.sample_data.load import expect_empty, sample_key
from mobile_bff.client import Client, terminal_assertion
from mobile_bff.processes import (
    DidNotStart,
    bank_credit,
    civil_register,
    national_platform,
    newest_code,
    push_sandbox,
    reserved,
    seed,
    server,
    sms_sandbox,
    unionpay,
    wechat_pay,
)

FOLDER = Path(".demo")
LOCK = "lock"
PHONE = "12000000001"
PHARMACY_TERMINAL = "TP5101040000101"
STEPS = 9
_BASKET = (
    ("甘精胰岛素", "3", "65.00"),
    ("瑞舒伐他汀", "4", "28.60"),
    ("连花清瘟胶囊", "2", "16.50"),
    ("阿胶", "1", "98.00"),
)
_serials = itertools.count(1)


class Stage:
    """Shows how far the path has come."""

    def __init__(self, steps: int = STEPS, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._number = 0
        self._steps = steps

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show a step, with a tick and its time when it is done."""
        self._number += 1
        began = time.monotonic()
        with self.console.status(f"[{self._number}/{self._steps}] {text}"):
            yield
        took = (time.monotonic() - began) * 1000
        self.console.print(f"[green]✓[/] {self._number}/{self._steps} {text} [dim]{took:.0f} ms[/]")


@contextmanager
def sample_folder() -> Iterator[dict[str, str]]:
    """Empty the folder of demo and tour, keep any other out of it, and yield the environment for it.

    What ``YIBAO_DATABASE_URL`` names is used in place of a database in the folder, and is never emptied.
    Raises ``DidNotStart`` where another demo is at work here, ``DatabaseFilled`` where that database holds
    something already: its keys may lie in the folder, so it is looked at first.
    """
    environment = {"YIBAO_DATA_DIR": str(FOLDER.absolute())}
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DidNotStart(
                f"another demo or tour is at work in {FOLDER.absolute()}; "
                "end it first, or start this one in another folder"
            ) from None
        settings = Settings.from_environment({**os.environ, **environment})
        if settings.database_url:
            engine = make_engine(settings.database_url)
            try:
                expect_empty(engine)
            finally:
                engine.dispose()
        for left in FOLDER.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != LOCK:
                left.unlink()
        yield environment


def run_demo(port: int, keep_serving: bool) -> int:
    """Set up, run the path, print the receipt, and serve until interrupted."""
    with reserved(port) as listener, sample_folder() as environment:
        stage = Stage()
        with stage.step("建库并装入示例数据 / database with the sample province"):
            seed(environment)
        _run(stage, listener, environment, keep_serving)
    return 0


def _run(
    stage: Stage, listener: socket.socket, environment: dict[str, str], keep_serving: bool
) -> None:
    mailbox = (FOLDER / "mailbox.jsonl").absolute()
    with (
        sms_sandbox(mailbox) as gateway,
        push_sandbox((FOLDER / "pushes.jsonl").absolute()) as pushes,
        civil_register() as register,
        national_platform() as platform,
        wechat_pay(FOLDER / "channels" / "wechat") as wechat,
        unionpay(FOLDER / "channels" / "unionpay") as union,
        bank_credit(FOLDER / "channels" / "bank", "--grant", "500000") as bank,
    ):
        environment["YIBAO_WECHAT_URL"] = wechat
        environment["YIBAO_UNIONPAY_URL"] = union
        environment["YIBAO_BANK_URL"] = bank
        environment["YIBAO_NATIONAL_PLATFORM_URL"] = platform
        environment["YIBAO_SMS_GATEWAY_URL"] = gateway
        environment["YIBAO_PUSH_GATEWAY_URL"] = pushes
        environment["YIBAO_CIVIL_REGISTER_URL"] = register
        with server(environment, listener=listener) as address:
            _walk(stage, address, mailbox)
            payers = {
                "微信支付": f"{wechat}/sandbox/pay   (沙箱; 患者付款: out_trade_no)",
                "微信签约": f"{wechat}/sandbox/sign  (沙箱; 免密签约: out_contract_code)",
                "银联    ": f"{union}/sandbox/pay   (沙箱; 患者付款: orderId)",
                "银行信用": f"{bank}/sandbox/books (沙箱; 申请即授信5000元)",
            }
            _farewell(stage.console, address, mailbox, payers)
            if keep_serving:
                _wait_for_interrupt()


def _walk(stage: Stage, address: str, mailbox: Path) -> None:
    phone, terminal = Client(address), Client(address)
    with stage.step("患者用短信验证码登录 / the patient signs in with an SMS code"):
        _good(phone.do("RequestSignInCode", phone=PHONE))
        digits = newest_code(mailbox, PHONE)
        signed_in = _good(phone.do("SignIn", phone=PHONE, code=digits, deviceName="演示手机"))
        phone.token = signed_in["accessToken"]
    with stage.step("药店终端用自己的密钥签到 / the pharmacy's terminal signs in with its key"):
        assertion = terminal_assertion(PHARMACY_TERMINAL, sample_key(PHARMACY_TERMINAL))
        session = _good(
            terminal.do(
                "OpenTerminalSession",
                assertion=assertion,
                operatorId="1001",
                operatorName="示例收银员",
            )
        )
        terminal.token = session["accessToken"]
    with stage.step("手机亮码 / the phone shows a one-time code"):
        code = _good(phone.do_once("IssueCode", purpose="PHARMACY_PURCHASE"))
    with stage.step("终端扫码 / the terminal scans it"):
        scanned = _good(
            terminal.do_once("DecodeCode", code=code["text"], purpose="PHARMACY_PURCHASE")
        )
    _show_scan(stage.console, code, scanned)
    with phone.events() as events:
        with stage.step("预结算, 手机即时收到 / the basket is priced, the phone sees it"):
            bill = _good(_presettle(terminal, scanned["token"], _BASKET))
            seen = next(events)
        stage.console.print(f"   手机: {seen['bill']['status']['speechText']}")
        with stage.step("患者在手机上确认 / the patient confirms on the phone"):
            _good(phone.do_once("ConfirmBill", billId=bill["billId"]))
        with stage.step("结算 / the bill is booked"):
            receipt = _good(terminal.do_once("Settle", billId=bill["billId"]))
    print_receipt(stage.console, receipt)
    with stage.step("第二笔买错, 当天撤销 / a second purchase is reversed the same day"):
        before, after = _buy_and_reverse(phone, terminal)
    stage.console.print(f"   账户余额 {before} → 撤销后 {after}")
    _show_records(stage.console, phone)


def _buy_and_reverse(phone: Client, terminal: Client) -> tuple[str, str]:
    before = _balance(phone)
    code = _good(phone.do_once("IssueCode", purpose="PHARMACY_PURCHASE"))
    scanned = _good(terminal.do_once("DecodeCode", code=code["text"], purpose="PHARMACY_PURCHASE"))
    bill = _good(_presettle(terminal, scanned["token"], (("布洛芬片", "2", "12.00"),)))
    settled = _good(terminal.do_once("Settle", billId=bill["billId"]))
    _good(
        terminal.do_once("ReverseSettlement", settlementId=settled["settlementId"], reason="买错药")
    )
    return before, _balance(phone)


def _presettle(
    terminal: Client, token: str, basket: tuple[tuple[str, str, str], ...]
) -> dict[str, Any]:
    lines = []
    for name, quantity, price in basket:
        item = terminal.call("CatalogueItems", text=name)["catalogueItems"][0]
        packs = [f"8{next(_serials):019d}" for _ in range(int(quantity))]
        lines.append(
            {
                "code": item["code"],
                "quantity": quantity,
                "unitPrice": price,
                "traceCodes": packs,
            }
        )
    return terminal.do_once("Presettle", token=token, lines=lines)


def _show_scan(console: Console, code: dict[str, Any], scanned: dict[str, Any]) -> None:
    (FOLDER / "code.svg").write_text(code["qrSvg"], encoding="utf-8")
    person = scanned["person"]
    console.print(f"   统一码 {code['text']} (二维码: {FOLDER / 'code.svg'}, 60秒内一次有效)")
    console.print(f"   终端看到: {person['maskedName']} {person['maskedIdNumber']}")
    for payer in scanned["payers"]:
        left = f", 剩余 {payer['left']['text']}" if payer["left"] else ""
        console.print(f"   {payer['payer']}: {payer['reasonText']}{left}")


def print_receipt(console: Console, receipt: dict[str, Any]) -> None:
    """Print a settlement as a person would want to read it."""
    working = receipt["working"]
    at = local_minute(datetime.fromisoformat(receipt["settledAt"]))
    console.print(f"\n[bold]医保结算单[/]  {receipt['institution']['name']}  {at}")
    console.print(f"结算编号 {receipt['settlementId']}  参保地 {receipt['areaName']}")
    lines = Table(box=None, header_style="dim")
    for title in ("商品", "数量", "单价", "金额", "限价外", "先自付", "自费", "报销范围"):
        lines.add_column(title, justify="left" if title == "商品" else "right")
    for line in working["lines"]:
        lines.add_row(
            f"{line['name']}\n[dim]{line['reasonText']}[/]",
            line["quantity"],
            line["unitPrice"],
            *(
                line[key]["yuan"]
                for key in ("total", "overLimit", "prepaidShare", "fullSelfPay", "inScope")
            ),
        )
    console.print(lines)
    console.print("\n[dim]每一分钱由谁付, 凭什么[/]")
    for part in working["parts"]:
        _print_part(console, part)
    _print_account_rule(console, working)
    console.print(f"[bold]{working['speechText']}[/]")
    if working["fundLeft"]:
        console.print(
            f"本年起付标准还剩 {working['deductibleLeft']['text']}, 统筹限额还剩 "
            f"{working['fundLeft']['text']}, 账户余额 {working['accountBalanceAfter']['text']}\n"
        )


def _print_part(console: Console, part: dict[str, Any]) -> None:
    payers = [
        f"{name} {part[key]['yuan']}"
        for name, key in (("统筹基金", "byFund"), ("个人账户", "byAccount"), ("现金", "byCash"))
        if part[key]["fen"]
    ]
    title = part["text"] + " " * max(1, 22 - cell_len(part["text"]))
    console.print(f"{title}{part['amount']['yuan']:>10}   {', '.join(payers)}")
    console.print(f"  [dim]{part['formula']} · {_cited(part['rule'])}[/]")


def _cited(rule: dict[str, Any]) -> str:
    mark = " [yellow](暂定)[/]" if rule["provisional"] else ""
    number = f" {rule['number']}" if rule["number"] else ""
    return f"{rule['id']} 自{rule['effectiveFrom']}{mark} 《{rule['document']}》{number} {rule['clause']}"


def _print_account_rule(console: Console, working: dict[str, Any]) -> None:
    if working["accountRule"]:
        console.print(f"[dim]个人账户支付 · {_cited(working['accountRule'])}[/]")
    if any(line["illustrative"] for line in working["lines"]):
        console.print("[yellow]目录编码、限价和乙类先自付比例为示例数据。[/]")


def _show_records(console: Console, phone: Client) -> None:
    console.print("\n[bold]手机上的结算记录[/]")
    for edge in phone.call("SettlementRecords", first=5)["settlements"]["edges"]:
        record = edge["node"]
        console.print(
            f"   {record['kind']:<10} 总额 {record['total']['text']}, "
            f"统筹 {record['fund']['text']}, 账户 {record['account']['text']}, "
            f"现金 {record['cash']['text']}"
        )


def _farewell(console: Console, address: str, mailbox: Path, payers: dict[str, str]) -> None:
    console.print("\n[bold]服务在运行 / the server is running[/]")
    console.print(f"   GraphQL   {address}/graphql   (HTTP; graphql-transport-ws)")
    console.print(f"   JWKS      {address}/.well-known/jwks.json")
    console.print(f"   短信邮箱  {mailbox}")
    console.print(f"   推送      {mailbox.with_name('pushes.jsonl')}")
    for name, where in payers.items():
        console.print(f"   {name}  {where}")
    console.print("   登录手机  12000000001 职工 · 12000000002 退休 · 12000000003 居民 · ")
    console.print("             12000000008 暂停参保 · 12000000009 等待期 · 12000000011 余额很少")
    console.print(f"   药店终端  {PHARMACY_TERMINAL} · 医院终端 TH5101040000101 (示例密钥)")


def _balance(phone: Client) -> str:
    account = phone.call("AccountLines", first=1)["accounts"][0]
    return str(account["balance"]["text"])


def _good(result: dict[str, Any]) -> dict[str, Any]:
    if "message" in result:
        raise SystemExit(f"{result['__typename']}: {result['message']}{result['nextAction']}")
    return result


def _wait_for_interrupt() -> None:
    print("按 Ctrl-C 停止 / press Ctrl-C to stop", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()
