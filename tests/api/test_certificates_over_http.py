"""Certificates over real HTTP: issued, fetched, checked by whoever holds the paper or the file."""

from __future__ import annotations

import io
import re

import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from backend.infra.stamp import load_stamp
from mobile_bff.client import Client
from tests.api.conftest import Site, site_on
from tests.api.test_path_over_http import basket_line, scanned
from tests.unit.test_stamp import is_whole
from tests.world import IBUPROFEN

CHINESE = {"accept-language": "zh-CN"}


def issued(phone: Client, kind: str = "ENROLMENT", **more: object) -> dict[str, object]:
    made = phone.do_once("IssueCertificate", kind=kind, **more)
    assert made["__typename"] == "Certificate"
    return made


def fetched(site: Site, phone: Client, made: dict[str, object]) -> bytes:
    mine = {"authorization": f"Bearer {phone.token}"}
    answer = site.http.get(f"{site.url}{made['filePath']}", headers=mine)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert f'filename="{made["number"]}.pdf"' in answer.headers["content-disposition"]
    return answer.content


def handed_in(site: Site, file: bytes) -> tuple[int, str]:
    files = {"file": ("a.pdf", file, "application/pdf")}
    answer = site.http.post(f"{site.url}/verify", files=files, headers=CHINESE)
    return answer.status_code, answer.text


def test_a_certificate_is_issued_fetched_and_verified_by_anybody(site: Site) -> None:
    phone = site.phone("worker_2")
    made = issued(phone)
    file = fetched(site, phone, made)
    assert fetched(site, phone, made) == file
    assert is_whole(load_stamp(site.keys_file.parent / "seal.pem"), file)
    text = PdfReader(io.BytesIO(file)).pages[0].extract_text()
    for words in ("基本医疗保险参保凭证", str(made["number"]), str(made["checkCode"]), "示例印章"):
        assert words in text
    picture = pypdfium2.PdfDocument(file)[0].render(scale=2).to_pil()
    [read] = zxingcpp.read_barcodes(picture)
    assert read.text == made["verifyUrl"] == f"{site.url}/verify/{made['checkCode']}"
    page = site.http.get(read.text, headers=CHINESE)
    assert page.status_code == 200
    assert "真实有效" in page.text
    assert "账户余额" in page.text
    assert str(made["number"]) in page.text
    name, number = re.findall(r"姓名\n?\s*(\S+?)\s*证件号码\s*(\w+)", text)[0]
    assert name not in page.text
    assert number not in page.text
    found = site.anonymous().call("VerifyCertificate", checkCode=made["checkCode"])
    assert (found["number"], found["state"]) == (made["number"], "VALID")
    assert [line["label"] for line in found["lines"]][:3] == ["凭证", "编号", "姓名"]
    listed = phone.call("Certificates")["certificates"]
    assert made["id"] in [one["id"] for one in listed]


def test_the_file_itself_is_checked(site: Site) -> None:
    phone = site.phone("worker_2")
    made = issued(phone)
    file = fetched(site, phone, made)
    status, page = handed_in(site, file)
    assert status == 200
    assert "没有改动" in page
    status, page = handed_in(site, file + b" ")
    assert status == 404
    assert "已被改动" in page
    assert handed_in(site, b"no PDF")[0] == 404
    answer = site.http.post(f"{site.url}/verify", data={"code": "x"}, headers=CHINESE)
    assert answer.status_code == 404
    assert handed_in(site, b"x" * 5_100_000)[0] == 413


def test_taken_back_it_is_not_handed_out_and_the_page_says_so(site: Site) -> None:
    phone = site.phone("worker_2")
    made = issued(phone)
    file = fetched(site, phone, made)
    taken = phone.do("RevokeCertificate", certificateId=made["id"])
    assert taken["state"] == "REVOKED"
    mine = {"authorization": f"Bearer {phone.token}", **CHINESE}
    again = site.http.get(f"{site.url}{made['filePath']}", headers=mine)
    assert again.status_code == 404
    assert again.json()["code"] == "CERTIFICATE_NOT_FOUND"
    assert "已作废" in site.http.get(str(made["verifyUrl"]), headers=CHINESE).text
    _, page = handed_in(site, file)
    assert "已作废" in page
    assert "没有改动" not in page


def test_nobody_else_fetches_it(site: Site) -> None:
    made = issued(site.phone("worker_2"))
    url = f"{site.url}{made['filePath']}"
    assert site.http.get(url).status_code == 401
    other = {"authorization": f"Bearer {site.phone('retiree').token}"}
    assert site.http.get(url, headers=other).status_code == 404
    refused = site.phone("retiree").do("RevokeCertificate", certificateId=made["id"])
    assert refused["code"] == "CERTIFICATE_NOT_FOUND"


def test_a_year_that_has_nothing_is_refused_in_words(site: Site) -> None:
    refused = site.phone("worker_2").do_once("IssueCertificate", kind="SETTLEMENTS", year=2001)
    assert (refused["code"], refused["problem"]) == ("CERTIFICATE_NOT_POSSIBLE", "NOTHING")
    assert refused["nextAction"]


def test_the_page_is_plain_and_what_is_typed_stays_text(site: Site) -> None:
    page = site.http.get(f"{site.url}/verify", headers=CHINESE)
    assert page.status_code == 200
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["referrer-policy"] == "no-referrer"
    bad = site.http.get(f"{site.url}/verify", params={"code": '"><script>x'}, headers=CHINESE)
    assert bad.status_code == 404
    assert "<script" not in bad.text
    assert "没有这个核验码" in bad.text
    english = site.http.get(f"{site.url}/verify", headers={"accept-language": "en"})
    assert "Verify a certificate" in english.text


@pytest.mark.parametrize("kind", ["sqlite"])
def test_wrong_codes_are_held_up(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    limit = {"YIBAO_WRONG_CHECK_CODES_PER_ADDRESS_PER_HOUR": "2"}
    with site_on(kind, request, tmp_path_factory.mktemp("wrong"), **limit) as site:
        for _ in range(2):
            assert site.http.get(f"{site.url}/verify/0000").status_code == 404
        held = site.http.get(f"{site.url}/verify/0000", headers=CHINESE)
        assert held.status_code == 429
        assert "核验次数过多" in held.text
        told = site.anonymous().call("VerifyCertificate", checkCode="0000")
        assert told["code"] == "TOO_MANY_CHECKS"
        assert told["retryAfterSeconds"] > 0


def test_without_a_seal_it_is_issued_but_not_signed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("seal")
    seal = folder / "own.pem"
    with site_on("sqlite", request, folder, YIBAO_SEAL_FILE=str(seal)) as site:
        phone = site.phone("worker_2")
        made = issued(phone)
        kept = seal.read_bytes()
        seal.unlink()
        mine = {"authorization": f"Bearer {phone.token}"}
        url = f"{site.url}{made['filePath']}"
        answer = site.http.get(url, headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (503, "SEAL_MISSING")
        seal.write_bytes(kept)
        assert site.http.get(url, headers=mine).status_code == 200


def test_a_receipt_of_one_settlement_says_that_it_is_no_invoice(site: Site) -> None:
    phone, till = site.phone("worker_4"), site.terminal()
    token = scanned(phone, till)
    bill = till.do_once("Presettle", token=token, lines=[basket_line(IBUPROFEN, "12.00")])
    settled = till.do_once("Settle", billId=bill["billId"])
    made = issued(phone, "RECEIPT", settlementId=settled["settlementId"])
    file = fetched(site, phone, made)
    text = PdfReader(io.BytesIO(file)).pages[0].extract_text()
    for words in ("医疗保障结算单", "费用明细", "12.00", "收银台", "有效", "不是医疗收费电子票据"):
        assert words in text
    page = site.http.get(f"{site.url}/verify/{made['checkCode']}", headers=CHINESE)
    assert "真实有效" in page.text
    stranger = site.phone("worker_5")
    refused = stranger.do_once(
        "IssueCertificate", kind="RECEIPT", settlementId=settled["settlementId"]
    )
    assert (refused["code"], refused["problem"]) == ("CERTIFICATE_NOT_POSSIBLE", "SETTLEMENT")
