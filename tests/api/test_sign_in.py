"""Sign-in over HTTP: limits, lock, rotation, reuse, sign-out, and an unreliable gateway."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from mobile_bff.client import CallFailed
from mobile_bff.processes import newest_code
from tests.api.conftest import Site, site_on


def _request(site: Site, phone: str) -> str:
    for _ in range(40):
        answer = site.anonymous().do("RequestSignInCode", phone=phone)
        if answer["__typename"] == "SignInCodeRequested":
            break
        assert answer["code"] == "TOO_MANY_CODES"
        time.sleep(0.1)
    return phone


def _messages(mailbox: Path, phone: str) -> list[str]:
    if not mailbox.exists():
        return []
    lines = map(json.loads, mailbox.read_text(encoding="utf-8").splitlines())
    return [m["code"] for m in lines if m["to"] == phone]


def _new_code(site: Site, phone: str) -> str:
    had = len(_messages(site.mailbox, phone))
    _request(site, phone)
    for _ in range(200):
        codes = _messages(site.mailbox, phone)
        if len(codes) > had:
            return codes[-1]
        time.sleep(0.05)
    raise AssertionError("no message came")


def test_an_unknown_number_cannot_be_told_from_a_known_one(site: Site) -> None:
    known = site.anonymous().do("RequestSignInCode", phone="12000000018")
    unknown = site.anonymous().do("RequestSignInCode", phone="12099999999")
    assert set(known) == set(unknown)
    assert known["__typename"] == unknown["__typename"] == "SignInCodeRequested"
    newest_code(site.mailbox, "12000000018")
    assert _messages(site.mailbox, "12099999999") == []
    for phone in ("12000000018", "12099999999"):
        wrong = site.anonymous().do("SignIn", phone=phone, code="x", deviceName="d")
        assert (wrong["code"], wrong["attemptsLeft"]) == ("CODE_WRONG", 4)


def test_a_code_serves_once_and_the_newest_only(site: Site) -> None:
    phone = "12000000019"
    older = _new_code(site, phone)
    newer = _new_code(site, phone)
    if older != newer:
        old = site.anonymous().do("SignIn", phone=phone, code=older, deviceName="d")
        assert old["code"] == "CODE_WRONG"
    first = site.anonymous().do("SignIn", phone=phone, code=newer, deviceName="d")
    assert first["__typename"] == "Session"
    again = site.anonymous().do("SignIn", phone=phone, code=newer, deviceName="d")
    assert again["code"] == "CODE_WRONG"


def test_too_many_requests_for_one_phone(site: Site) -> None:
    phone, answers = "12000000020", []
    for _ in range(6):
        answers.append(site.anonymous().do("RequestSignInCode", phone=phone))
        time.sleep(1.05)
    assert [a["__typename"] for a in answers] == ["SignInCodeRequested"] * 5 + ["TooManyCodes"]
    assert answers[-1]["retryAfterSeconds"] > 60


def test_wrong_codes_use_up_the_code_and_then_lock(site: Site) -> None:
    phone = "12000000021"
    for round_ in range(2):
        code = _new_code(site, phone)
        wrong = "000000" if code != "000000" else "000001"
        for attempt in range(5):
            answer = site.anonymous().do("SignIn", phone=phone, code=wrong, deviceName="d")
            assert (answer["code"], answer["attemptsLeft"]) == ("CODE_WRONG", 4 - attempt), round_
    locked = site.anonymous().do("SignIn", phone=phone, code=code, deviceName="d")
    assert locked["code"] == "SIGN_IN_LOCKED"
    assert 1700 < locked["retryAfterSeconds"] <= 1800


def test_refresh_rotates_and_reuse_ends_the_family(site: Site) -> None:
    phone = "12000000022"
    code = _new_code(site, phone)
    client = site.anonymous()
    session = client.do("SignIn", phone=phone, code=code, deviceName="d")
    first = session["refreshToken"]
    second = client.do("RefreshSession", refreshToken=first)["refreshToken"]
    lost = client.do("RefreshSession", refreshToken=first)  # the answer was lost: within grace
    assert lost["__typename"] == "Session"
    dead = client.do("RefreshSession", refreshToken=second)  # replaced by the one just given
    assert dead["code"] == "SESSION_ENDED"
    third = client.do("RefreshSession", refreshToken=lost["refreshToken"])
    assert third["__typename"] == "Session"
    client.token = third["accessToken"]
    assert client.call("MyRights")["person"]["id"] == session["person"]["id"]
    stolen = client.do("RefreshSession", refreshToken=first)  # its successor has served
    assert stolen["code"] == "SESSION_ENDED"
    family = client.do("RefreshSession", refreshToken=third["refreshToken"])
    assert family["code"] == "SESSION_ENDED"
    with pytest.raises(CallFailed, match="UNAUTHENTICATED"):
        client.call("MyRights")


def test_sign_out_ends_tokens_and_live_events(site: Site) -> None:
    phone = "12000000023"
    client = site.anonymous()
    session = client.do("SignIn", phone=phone, code=_new_code(site, phone), deviceName="d")
    client.token = session["accessToken"]
    code = client.do_once("IssueCode", purpose="PHARMACY_PURCHASE")
    terminal = site.terminal()
    token = terminal.do_once("DecodeCode", code=code["text"], purpose="PHARMACY_PURCHASE")["token"]
    with client.events() as events:
        assert client.call("SignOut")["__typename"] == "SessionClosed"
        with pytest.raises(CallFailed, match="UNAUTHENTICATED"):
            client.call("MyRights")
        line = {"code": "XM01AEA001A001030100001", "quantity": "1", "unitPrice": "1.00"}
        packs = {"traceCodes": ["80000000000000000777"]}
        terminal.do_once("Presettle", token=token, lines=[{**line, **packs}])
        with pytest.raises(
            CallFailed, match=r"UNAUTHENTICATED|4401"
        ):  # event or socket, as it comes
            next(events)
    refreshed = client.do("RefreshSession", refreshToken=session["refreshToken"])
    assert refreshed["code"] == "SESSION_ENDED"


def test_a_gateway_that_fails_and_comes_back(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with site_on("sqlite", request, tmp_path, ("--fail-first", "2")) as site:
        phone = "12000000024"
        site.anonymous().do("RequestSignInCode", phone=phone)
        code = newest_code(site.mailbox, phone, seconds=20)
        signed = site.anonymous().do("SignIn", phone=phone, code=code, deviceName="d")
        assert signed["__typename"] == "Session"
        assert _messages(site.mailbox, phone) == [code]
