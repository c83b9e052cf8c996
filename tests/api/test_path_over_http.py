"""The main job through the public API alone, two workers, both databases."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import uuid
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import zxingcpp
from jwt import PyJWKSet
from PIL import Image, ImageDraw

from mobile_bff import documents
from mobile_bff.client import CallFailed, Client
from tests.api.conftest import Site, plain_text_of
from tests.world import EJIAO, IBUPROFEN, OTHER_PHARMACY, trace_code

PURCHASE = "PHARMACY_PURCHASE"


def basket_line(code: str, price: str, quantity: int = 1) -> dict[str, Any]:
    packs = [trace_code() for _ in range(quantity)]
    return {"code": code, "quantity": str(quantity), "unitPrice": price, "traceCodes": packs}


def scanned(phone: Client, terminal: Client) -> str:
    code = phone.do_once("IssueCode", purpose=PURCHASE)
    token: str = terminal.do_once("DecodeCode", code=code["text"], purpose=PURCHASE)["token"]
    return token


def test_the_whole_path(site: Site) -> None:
    phone, terminal = site.phone("worker"), site.terminal()
    token = scanned(phone, terminal)
    with phone.events() as on_phone, terminal.events() as on_till:
        lines = [basket_line(IBUPROFEN, "300.00"), basket_line(EJIAO, "98.00")]
        bill = terminal.do_once("Presettle", token=token, lines=lines)
        assert bill["state"] == "AWAITING_CONFIRMATION"
        seen = next(on_phone)
        assert (seen["kind"], seen["bill"]["billId"]) == ("BILL_PRESENTED", bill["billId"])
        waits = terminal.do_once("Settle", billId=bill["billId"])
        assert (waits["code"], waits["retry"]) == ("PATIENT_MUST_CONFIRM", "SAME_REQUEST")
        assert phone.do_once("ConfirmBill", billId=bill["billId"])["state"] == "CONFIRMED"
        settled = terminal.do_once("Settle", billId=bill["billId"])
        assert [next(on_phone)["kind"] for _ in range(2)] == ["BILL_CONFIRMED", "BILL_SETTLED"]
        kinds = [next(on_till)["kind"] for _ in range(3)]
        assert kinds == ["BILL_PRESENTED", "BILL_CONFIRMED", "BILL_SETTLED"]
        assert [settled[k]["fen"] for k in ("total", "fund", "account", "cash")] == [
            39800, 5000, 25000, 9800,
        ]  # fmt: skip
        for part in settled["working"]["parts"]:
            assert part["rule"]["document"]
            assert part["rule"]["clause"]
            assert part["rule"]["effectiveFrom"] in ("2009-01-01", "2020-09-01", "2023-01-01")
        reversal = terminal.do_once(
            "ReverseSettlement", settlementId=settled["settlementId"], reason="拿错药"
        )
        assert reversal["total"]["fen"] == -39800
        assert next(on_phone)["kind"] == "BILL_REVERSED"
    for client, operation, root in (
        (phone, "SettlementRecords", "settlements"),
        (terminal, "TillSettlements", "settlements"),
    ):
        edges = client.call(operation, first=2)[root]["edges"]
        assert [edge["node"]["kind"] for edge in edges] == ["REVERSAL", "SETTLEMENT"]
        assert edges[1]["node"]["reversedById"] == reversal["settlementId"]
    account = phone.call("AccountLines", first=2)["accounts"][0]
    amounts = [edge["node"]["amount"]["fen"] for edge in account["lines"]["edges"]]
    assert amounts == [25000, -25000]
    assert account["balance"] == account["lines"]["edges"][0]["node"]["balanceAfter"]


def test_the_same_key_gets_the_same_bytes(site: Site) -> None:
    phone, terminal = site.phone("worker_2"), site.terminal()
    token = scanned(phone, terminal)
    bill = terminal.do_once("Presettle", token=token, lines=[basket_line(IBUPROFEN, "20.00")])
    variables = {"input": {"requestId": str(uuid.uuid4()), "billId": bill["billId"]}}
    body = {"query": documents.document("Settle"), "variables": variables}
    answers = {terminal.post(body).content for _ in range(6)}  # over both workers
    assert len(answers) == 1
    other = {**variables["input"], "billId": "another"}
    assert terminal.do("Settle", **other)["code"] == "REQUEST_KEY_REUSED"


def test_an_answer_that_was_lost(site: Site) -> None:
    """The till sends and its connection breaks before the answer; then it asks again."""
    phone, terminal = site.phone("worker_3"), site.terminal()
    token = scanned(phone, terminal)
    bill = terminal.do_once("Presettle", token=token, lines=[basket_line(IBUPROFEN, "20.00")])
    variables = {"input": {"requestId": str(uuid.uuid4()), "billId": bill["billId"]}}
    body = json.dumps({"query": documents.document("Settle"), "variables": variables}).encode()
    address = urlsplit(site.url)
    with socket.create_connection((address.hostname, address.port)) as wire:
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {terminal.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        wire.sendall(head.encode() + body)
    again = terminal.do("Settle", **variables["input"])
    assert again["__typename"] == "Settlement"
    records = phone.call("SettlementRecords")["settlements"]["edges"]
    assert len(records) == 1


def test_qr_images_are_read_by_a_reader_that_is_not_ours(lone_site: Site) -> None:
    code = lone_site.phone("retiree").issue_code(PURCHASE, svg=True, png=True)
    png = Image.open(io.BytesIO(base64.b64decode(code["qrPngBase64"])))
    for image in (png, _drawn(code["qrSvg"])):
        read = zxingcpp.read_barcodes(image)
        assert [found.text for found in read] == [code["text"]]
    assert re.fullmatch(r"751\d{25}", code["text"])


def _drawn(svg: str) -> Image.Image:
    """Draw the squares of the QR path with a library that knows nothing of QR codes."""
    path = re.search(r' d="([^"]+)"', svg)
    assert path is not None
    squares = re.findall(r"M([\d.]+),([\d.]+)H([\d.]+)V([\d.]+)H", path.group(1))
    assert len(squares) > 200
    size = int(max(float(x) for x in [s[2] for s in squares]) * 10) + 60
    image = Image.new("L", (size, size), 255)
    draw = ImageDraw.Draw(image)
    for left, top, right, bottom in squares:
        box = [float(v) * 10 for v in (left, top, right, bottom)]
        draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=0)
    return image


def test_tokens_verify_against_the_published_keys(lone_site: Site) -> None:
    phone = lone_site.phone("worker")
    keys = PyJWKSet.from_dict(phone.http.get(f"{lone_site.url}/.well-known/jwks.json").json())
    header = jwt.get_unverified_header(phone.token)
    assert (header["alg"], header["kid"]) == ("EdDSA", keys.keys[0].key_id)
    claims = jwt.decode(phone.token, keys[header["kid"]], ["EdDSA"], audience="yibao/person")
    assert claims["exp"] - claims["iat"] == 600
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp"}


def test_nothing_personal_lies_open_in_the_database(lone_site: Site) -> None:
    phone, terminal = lone_site.phone("worker_4"), lone_site.terminal()
    code = phone.do_once("IssueCode", purpose=PURCHASE)
    token = terminal.do_once("DecodeCode", code=code["text"], purpose=PURCHASE)["token"]
    content = plain_text_of(lone_site)
    assert b"PHARMACY_PURCHASE" in content
    for secret in ("朱样例", "12000000017", "990100197612", code["text"], token, phone.token):
        assert secret.encode() not in content, secret


def test_strangers_see_nothing_of_a_settlement(lone_site: Site) -> None:
    phone, terminal = lone_site.phone("worker_5"), lone_site.terminal()
    token = scanned(phone, terminal)
    bill = terminal.do_once("Presettle", token=token, lines=[basket_line(IBUPROFEN, "20.00")])
    settled = terminal.do_once("Settle", billId=bill["billId"])
    query = "query($id: ID!) { node(id: $id) { __typename id } }"
    for node_id in (settled["id"], bill["id"]):
        body = {"query": query, "variables": {"id": node_id}}
        for owner in (phone, terminal):
            assert owner.post(body).json()["data"]["node"]["id"] == node_id
        for stranger in (
            lone_site.phone("retiree"),
            lone_site.terminal(OTHER_PHARMACY),
            lone_site.anonymous(),
        ):
            assert stranger.post(body).json() == {"data": {"node": None}}


def test_rights_are_ones_own(lone_site: Site) -> None:
    phone = lone_site.phone("worker")
    other = lone_site.phone("retiree").call("MyRights")["person"]["id"]
    query = "query($id: ID) { personalRights(subjectId: $id) { person { id } } }"
    answer = phone.post({"query": query, "variables": {"id": other}}).json()
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["FORBIDDEN"]
    with pytest.raises(CallFailed, match="UNAUTHENTICATED"):
        lone_site.anonymous().call("MyRights")
    with pytest.raises(CallFailed, match="UNAUTHENTICATED"):
        phone.call("TillSettlements")


def test_texts_come_in_the_callers_language(lone_site: Site) -> None:
    chinese = lone_site.anonymous().do("RequestSignInCode", phone="abc")
    english = lone_site.anonymous(language="en-GB, zh;q=0.5").do("RequestSignInCode", phone="abc")
    assert chinese["message"] == "手机号码应为11位数字，以1开头。"
    assert english["message"] == "A mobile number has eleven digits and begins with 1."
    assert chinese["code"] == english["code"] == "PHONE_INVALID"


def test_pages(lone_site: Site) -> None:
    phone = lone_site.phone("worker_6")
    seen: list[str] = []
    after = None
    for _ in range(20):
        page = phone.call("AccountLines", first=2, after=after)["accounts"][0]["lines"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == 6  # a credit for each month to June
    assert seen == sorted(seen, key=int, reverse=True)
    for bad in ({"first": 101}, {"first": -1}, {"after": "nonsense"}, {"after": "OTk5"}):
        with pytest.raises(CallFailed, match="BAD_USER_INPUT"):
            phone.call("AccountLines", **bad)


def test_all_33_modules_are_listed(lone_site: Site) -> None:
    groups = lone_site.anonymous().call("AppModules")
    assert [len(group["modules"]) for group in groups] == [4, 8, 8, 5, 5, 3]
    states = {m["id"]: m["state"] for group in groups for m in group["modules"]}
    assert len(states) == 33
    for module in ("C2", "C3", "D1", "D2", "D3", "D4"):
        assert states[module] != "PLANNED"
    assert all(len(m["shortTitle"]) <= 8 for group in groups for m in group["modules"])
