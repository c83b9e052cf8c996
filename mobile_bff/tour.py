"""``yibao tour filing``: a daughter files for her father by promise, and he settles in Beijing.

The national platform refuses the upload, then loses its own answer; the desk sees it and tries again; he
is admitted, and settles directly. The same walk is a test (``tests/api/test_filing_story.py``).
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pyotp
from rich.console import Console

from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_day, local_minute
from backend.sample_data.load import sample_key
from backend.sample_data.people import sample_people
from backend.sample_data.staff import sample_password, sample_secret
from mobile_bff.client import DESK, Client, terminal_assertion
from mobile_bff.demo import FOLDER, Stage, sample_folder
from mobile_bff.processes import (
    civil_register,
    national_platform,
    newest_code,
    reserved,
    seed,
    server,
    sms_sandbox,
)

DAUGHTER, FATHER = "12000000001", "12000000002"
HOSPITAL, TERMINAL = "H11010100001", "TH1101010000101"
CLERK = "CD1001"
FAULTS = ("--refuse-first", "1", "--lose-first", "1")
_STEPS = 10
_WARD = "001101000010000-110100001"
_WAIT_SECONDS = 30


@dataclass
class Story:
    """What happened, for who wants to check it."""

    father_id: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    draft: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, Any] = field(default_factory=dict)
    meanwhile: dict[str, Any] = field(default_factory=dict)
    seen_at_desk: dict[str, Any] = field(default_factory=dict)
    effective: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    stay: dict[str, Any] = field(default_factory=dict)
    settled: dict[str, Any] = field(default_factory=dict)
    followed: dict[str, Any] = field(default_factory=dict)


class WentWrong(Exception):
    """The walk met something that it did not expect."""


def run_tour(port: int) -> int:
    """Set everything up, walk, and tell the story."""
    with reserved(port) as listener, sample_folder() as environment:
        stage = Stage(_STEPS)
        with stage.step("建库并装入示例数据 / database with the sample province"):
            seed(environment)
        _run(stage, listener, environment)
    return 0


def _run(stage: Stage, listener: socket.socket, environment: dict[str, str]) -> None:
    mailbox = (FOLDER / "mailbox.jsonl").absolute()
    with (
        sms_sandbox(mailbox) as gateway,
        civil_register() as register,
        national_platform(*FAULTS) as platform,
    ):
        environment["YIBAO_NATIONAL_PLATFORM_URL"] = platform
        environment["YIBAO_SMS_GATEWAY_URL"] = gateway
        environment["YIBAO_CIVIL_REGISTER_URL"] = register
        with server(environment, listener=listener) as address:
            walk(stage, address, mailbox)


def walk(stage: Stage, address: str, mailbox: Path) -> Story:
    """Walk through the story on a running server; raises ``WentWrong``."""
    with httpx.Client(timeout=60, trust_env=False) as http:
        return _walk(stage, partial(Client, address, http=http), mailbox)


def _walk(stage: Stage, client: Callable[..., Client], mailbox: Path) -> Story:
    story, tell = Story(), stage.console.print
    with stage.step("女儿和父亲各自登录 / daughter and father sign in"):
        daughter = _signed_in(client, mailbox, DAUGHTER, "女儿的手机")
        father = _signed_in(client, mailbox, FATHER, "父亲的手机")
        story.father_id = str(father.call("MyRights")["person"]["id"])
    with stage.step("父亲读出授权码, 女儿可以代办 / he reads out a code: she may file for him"):
        _bind(daughter, mailbox)
    with stage.step("能不能直接结算? / can he settle directly in Beijing?"):
        story.before = _direct(daughter, story.father_id)
    tell(f"   {story.before['speechText']}")
    tell(f"   现在报销约 {story.before['rate']}, 备案后约 {story.before['rateIfFiled']}")
    with stage.step("填表, 提交前就知道锁定日期 / the form says what a promise locks"):
        story.draft = _good(_save(daughter, story.father_id))
    preview = story.draft["preview"]
    tell(
        f"   承诺后 {preview['lockedUntil']} 前不能直接变更; 提前解锁: {preview['waysToUnlock'][0]}"
    )
    with stage.step("承诺提交, 即时办结 / submitted by promise, approved at once"):
        matter_id = story.draft["matter"]["matterId"]
        done = _good(daughter.do_once("SubmitFiling", matterId=matter_id, promise=True))
    tell(f"   办件 {done['matter']['number']}: {done['filing']['status']['speechText']}")
    with stage.step("上传国家平台失败, 她看得到 / the upload fails, and she sees it"):
        story.failed = _filing_in(daughter, story.father_id, "UPLOAD_FAILED")
        story.meanwhile = _direct(daughter, story.father_id)
    tell(f"   {story.failed['status']['speechText']}")
    with stage.step("经办窗口看到并重试 / the desk sees it and tries again"):
        clerk = _at_desk(client)
        story.seen_at_desk = clerk.call("Work", first=20)
        for _ in range(2):  # the second answer is lost on the way
            clerk.do("RetryUpload", filingId=story.failed["filingId"])
            time.sleep(1)
        story.effective = _filing_in(daughter, story.father_id, "EFFECTIVE")
        story.after = _direct(daughter, story.father_id)
    tell(f"   {story.effective['status']['text']}; {story.after['speechText']}")
    with stage.step("父亲在北京入院 / he is admitted in Beijing"):
        hospital = _hospital(client)
        story.stay = _good(_admit(father, hospital))
    tell(f"   入院登记: 备案类型 {story.stay['filing']}")
    with stage.step("出院直接结算 / and settles directly at discharge"):
        story.settled = _good(_discharge(father, hospital, mailbox, story.stay["stayId"]))
    tell(
        f"   总额 {story.settled['total']['text']}, 医保支付 {story.settled['fund']['text']}, "
        f"账户 {story.settled['account']['text']}, 现金 {story.settled['cash']['text']}"
    )
    looked = _good(clerk.do("LookAtMatter", matterId=matter_id))
    story.followed = looked
    _tell_steps(stage.console, story.followed)
    return story


def _tell_steps(console: Console, application: dict[str, Any]) -> None:
    console.print("\n[bold]窗口看到的办件经过[/]")
    for step in application["matter"]["steps"]:
        at = local_minute(datetime.fromisoformat(step["at"]))
        console.print(f"   {at}  {step['text']}  {step['words']}")


def _signed_in(client: Callable[..., Client], mailbox: Path, phone: str, device: str) -> Client:
    caller = client()
    _good(caller.do("RequestSignInCode", phone=phone))
    code = newest_code(mailbox, phone)
    signed_in = _good(caller.do("SignIn", phone=phone, code=code, deviceName=device))
    caller.token = signed_in["accessToken"]
    return caller


def _bind(daughter: Client, mailbox: Path) -> None:
    father = sample_people()[FATHER]
    asked = _good(
        daughter.do_once(
            "RequestBinding",
            ownerName=father[0],
            ownerIdNumber=father[1],
            relation="PARENT",
            scopes=["VIEW_INFO", "FILE"],
        )
    )
    _good(daughter.do("AskConsent", bindingId=asked["bindingId"], kind="BIND"))
    code = _newest(mailbox, FATHER, "consent_bind")
    _good(daughter.do("ConsentByCode", bindingId=asked["bindingId"], code=code))


def _save(client: Client, subject_id: str) -> dict[str, Any]:
    return client.do_once(
        "SaveFiling",
        subjectId=subject_id,
        kind="LONG_TERM",
        areaCode="110100",
        starts=local_day(SystemClock().now()).isoformat(),
        route="PROMISE",
    )


def _direct(client: Client, subject_id: str) -> dict[str, Any]:
    asked = {"subjectId": subject_id, "institutionCode": HOSPITAL, "care": "INPATIENT"}
    found: dict[str, Any] = client.call("DirectSettlement", **asked)["directSettlement"]
    return found


def _filing_in(client: Client, subject_id: str, state: str) -> dict[str, Any]:
    """Return the newest filing once it is in a state."""
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        filings = client.call("Filings", subjectId=subject_id)["filings"]
        if filings and filings[0]["state"] == state:
            newest: dict[str, Any] = filings[0]
            return newest
        time.sleep(0.1)
    raise WentWrong(f"the filing is not {state} after {_WAIT_SECONDS} seconds")


def _at_desk(client: Callable[..., Client]) -> Client:
    clerk = client(**DESK)
    code = pyotp.TOTP(sample_secret(CLERK)).now()
    signed = clerk.do("OpenStaffSession", number=CLERK, password=sample_password(CLERK), code=code)
    clerk.token = _good(signed)["accessToken"]
    return clerk


def _hospital(client: Callable[..., Client]) -> Client:
    desk = client()
    session = desk.do(
        "OpenTerminalSession",
        assertion=terminal_assertion(TERMINAL, sample_key(TERMINAL)),
        operatorId="2001",
        operatorName="住院处",
    )
    desk.token = _good(session)["accessToken"]
    return desk


def _admit(father: Client, hospital: Client) -> dict[str, Any]:
    code = _good(father.do_once("IssueCode", purpose="HOSPITAL_ADMISSION"))
    scanned = _good(hospital.do_once("DecodeCode", code=code["text"], purpose="HOSPITAL_ADMISSION"))
    return hospital.do_once("AdmitPatient", token=scanned["token"])


def _discharge(father: Client, hospital: Client, mailbox: Path, stay_id: str) -> dict[str, Any]:
    line = {"code": _WARD, "quantity": "1", "unitPrice": "9000.00", "traceCodes": []}
    bill = _good(
        hospital.do_once("Presettle", token="", stayId=stay_id, lines=[line], discharge=True)
    )
    if bill["state"] == "AWAITING_CONFIRMATION":
        confirmed = father.do_once("ConfirmBill", billId=bill["billId"])
        if confirmed["__typename"] == "StepUpRequired":
            _good(father.call("RequestStepUpCode"))
            code = _newest(mailbox, FATHER, "step_up_code")
            _good(father.do("StepUp", proof="SMS_CODE", secret=code))
            confirmed = father.do_once("ConfirmBill", billId=bill["billId"])
        _good(confirmed)
    return hospital.do_once("Settle", billId=bill["billId"])


def _newest(mailbox: Path, phone: str, template: str) -> str:
    """Return the code of the newest message of a kind to a phone, waiting for it to arrive."""
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        lines = mailbox.read_text(encoding="utf-8").splitlines() if mailbox.exists() else []
        for message in map(json.loads, reversed(lines)):
            if message["to"] == phone and message["template"] == template:
                return str(message["code"])
        time.sleep(0.1)
    raise WentWrong(f"no {template} came to {phone}")


def _good(result: dict[str, Any]) -> dict[str, Any]:
    if "message" in result:
        raise WentWrong(f"{result['__typename']}: {result['message']}{result['nextAction']}")
    return result
