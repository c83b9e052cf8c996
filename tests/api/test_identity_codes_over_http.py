"""Identity codes from phone to counter: as images, over HTTP, and without a network."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
import qrcode
import zxingcpp
from PIL import Image

from mobile_bff.command import main
from tests.api.conftest import Site
from tests.api.test_relatives_over_http import identity_of


def scanned(text: str) -> str:
    """Draw a code and read it back with a real reader."""
    code = qrcode.QRCode(border=4)
    code.add_data(text)
    buffer = io.BytesIO()
    code.make_image().save(buffer, "PNG")
    (found,) = zxingcpp.read_barcodes(Image.open(buffer))
    return str(found.text)


def test_a_code_is_verified_at_a_counter_without_a_network(
    lone_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = lone_site.phone("retiree")
    code = phone.do("IssueIdentityCode")
    assert code["qrSvg"].startswith("<")
    text = scanned(code["text"])
    assert text == code["text"]
    trust, anchors = tmp_path / "trust.jwt", tmp_path / "jwks.json"
    for file, path in ((trust, "identity-trust.jwt"), (anchors, "jwks.json")):
        answer = httpx.get(f"{lone_site.url}/.well-known/{path}", trust_env=False)
        file.write_text(answer.text, encoding="utf-8")
    _, number = identity_of(lone_site, "retiree")

    def verified(*more: str) -> tuple[int, str]:
        given = ("--trust", str(trust), "--anchors", str(anchors), *more)
        status = main(("verify-code", text, *given))
        return status, capsys.readouterr().out

    status, said = verified()
    assert (status, said.splitlines()[0]) == (0, "VALID")
    assert "王*例, issued by 510000" in said
    assert "same person" in verified("--id-number", number)[1]
    assert verified("--id-number", "990000199001010018")[0] == 1
    assert phone.do("RevokeIdentityCodes")["signed"] == 1
    assert verified()[1].startswith("VALID")  # the old list does not know yet
    trust.write_text(
        httpx.get(f"{lone_site.url}/.well-known/identity-trust.jwt", trust_env=False).text,
        encoding="utf-8",
    )
    assert verified()[1].startswith("REVOKED")
    trust.write_text("x", encoding="utf-8")
    assert verified()[0] == 2


def test_paper_and_card_at_the_till(lone_site: Site) -> None:
    phone, till = lone_site.phone("retiree"), lone_site.terminal()
    paper = phone.do("MakePrintedCode")
    asked = {"text": scanned(paper["text"]), "purpose": "PHARMACY_PURCHASE"}
    found = till.do_once("ResolveCode", **asked)
    assert (found["kind"], found["confirmed"], found["scanned"]) == ("PRINTED", False, None)
    assert "身份证" in found["nextAction"]
    name, number = identity_of(lone_site, "retiree")
    card = {"name": name, "idNumber": number}
    confirmed = till.do_once("ResolveCode", **asked, idCard=card)
    assert confirmed["scanned"]["token"]
    national = till.do_once(
        "ResolveCode", text="4243669509084040896099330000", purpose="PHARMACY_PURCHASE"
    )
    assert national["code"] == "NATIONAL_PLATFORM_SILENT"  # none runs here
    assert "国家医保信息平台" in national["message"]
    health = phone.do("ShowHealthCard", dynamic=True)
    assert scanned(health["text"]) == health["text"]
    assert (
        till.do_once("ResolveCode", text=health["text"], purpose="PHARMACY_PURCHASE")["person"][
            "maskedName"
        ]
        == found["person"]["maskedName"]
    )
