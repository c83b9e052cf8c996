"""The seal and the paper: what it signs is whole, what was changed is not, and every word is on the page."""

from __future__ import annotations

import io
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from backend.infra.stamp import Stamp, StampError, load_stamp, make_stamp
from mobile_bff.pdf import pdf_of
from mobile_bff.pdf_contracts import Grid, Paper

NOW = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
PAPER = Paper(
    title="基本医疗保险参保凭证",
    number="PZ2026061512345678",
    stated=(("姓名", "示例甲"), ("证件号码", "990101199001011234")),
    grids=(Grid("参保信息", ("参保地", "余额"), (("成都市", "1,234.56"),), (1, 1), (1,)),),
    notes=("核验码：ABCD-EFGH", "改动任何内容，签名即失效。"),
    link="https://yibao.example/verify/ABCD-EFGH",
    issuer="示例省",
)


def is_whole(stamp: Stamp, file: bytes) -> bool:
    """Tell whether a file bears a seal's signature and was not changed after it, as a reader would."""
    trusted = ValidationContext(trust_roots=[stamp.signer.signing_cert], allow_fetching=False)
    try:
        found = PdfFileReader(io.BytesIO(file)).embedded_signatures
        if len(found) != 1:
            return False
        status = validate_pdf_signature(found[0], trusted)
    except (PdfError, SignatureValidationError, ValueError):
        return False
    return bool(status.bottom_line)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("seal") / "seal.pem"
    make_stamp(made, "示例印章", NOW)
    return made


@pytest.fixture(scope="module")
def stamp(path: Path) -> Stamp:
    return load_stamp(path)


@pytest.fixture(scope="module")
def signed(stamp: Stamp) -> bytes:
    return stamp.sign(pdf_of(PAPER), "test", NOW)


def test_a_seal_is_for_its_owner_alone_and_is_not_overwritten(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        make_stamp(path, "another", NOW)


def test_what_it_signs_is_whole(stamp: Stamp, signed: bytes) -> None:
    assert is_whole(stamp, signed)
    assert stamp.owner == "示例印章"
    assert b"ETSI.CAdES.detached" in signed


def test_what_was_changed_is_not_whole(stamp: Stamp, signed: bytes, tmp_path: Path) -> None:
    assert not is_whole(stamp, pdf_of(PAPER))
    assert not is_whole(stamp, b"no PDF at all")
    at = signed.index(b"/Title")
    assert not is_whole(stamp, signed[:at] + b"/Titel" + signed[at + 6 :])
    assert not is_whole(stamp, signed[:-200])
    other = tmp_path / "other.pem"
    make_stamp(other, "另一枚", NOW)
    assert not is_whole(stamp, load_stamp(other).sign(pdf_of(PAPER), "test", NOW))


def test_what_another_program_added_is_not_whole(stamp: Stamp, signed: bytes) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Rotate"] = writer.root["/Pages"]["/Count"]
    writer.update_container(page)
    changed = io.BytesIO()
    writer.write(changed)
    assert changed.getvalue().startswith(signed[:1000])
    assert not is_whole(stamp, changed.getvalue())


def test_a_seal_that_cannot_be_read_says_so(tmp_path: Path, path: Path) -> None:
    with pytest.raises(StampError, match="cannot be read"):
        load_stamp(tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(StampError):
        load_stamp(tmp_path / "bad.pem")
    make_stamp(tmp_path / "other.pem", "另一枚", NOW)
    key = path.read_text().split("-----BEGIN CERTIFICATE")[0]
    certificate = (tmp_path / "other.pem").read_text().split("PRIVATE KEY-----\n")[-1]
    (tmp_path / "mixed.pem").write_text(key + certificate)
    with pytest.raises(StampError, match="not of its key"):
        load_stamp(tmp_path / "mixed.pem")


def test_a_seal_that_has_run_out_does_not_sign(stamp: Stamp) -> None:
    for now in (NOW - timedelta(days=2), NOW + timedelta(days=5 * 366)):
        with pytest.raises(StampError, match="not valid"):
            stamp.sign(pdf_of(PAPER), "test", now)


def test_a_seal_that_was_replaced_signs_from_then_on(tmp_path: Path) -> None:
    place = tmp_path / "seal.pem"
    make_stamp(place, "第一枚", NOW)
    before = load_stamp(place)
    place.unlink()
    make_stamp(place, "第二枚", NOW)
    after = load_stamp(place)
    assert after.certificate.serial_number != before.certificate.serial_number


def test_every_word_is_on_the_page_and_the_font_travels_along(signed: bytes) -> None:
    reader = PdfReader(io.BytesIO(signed))
    [page] = reader.pages
    text = page.extract_text()
    for words in ("基本医疗保险参保凭证", "示例甲", "990101199001011234", "1,234.56", "ABCD-EFGH"):
        assert words in text
    assert reader.metadata is not None
    assert reader.metadata.title == "基本医疗保险参保凭证 PZ2026061512345678"
    fonts = [one.get_object() for one in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    ours = [one for one in fonts if "NotoSansSC" in one["/BaseFont"]]
    assert {one["/BaseFont"] for one in fonts if one not in ours} <= {"/Helvetica"}
    assert ours
    assert all("/FontFile2" in one["/FontDescriptor"].get_object() for one in ours)


def test_what_the_font_lacks_is_named_and_markup_is_text() -> None:
    paper = replace(PAPER, stated=(("姓名", "\U0003134a<b>&甲"),))
    text = PdfReader(io.BytesIO(pdf_of(paper))).pages[0].extract_text()
    assert "〔U+3134A〕<b>&甲" in text


def test_a_long_table_goes_over_pages_with_its_head_on_each() -> None:
    rows = tuple(("成都市", f"{number}.00") for number in range(200))
    grid = Grid("结算记录", ("参保地", "合计金额"), rows, (1, 1), (1,))
    pages = PdfReader(io.BytesIO(pdf_of(replace(PAPER, grids=(grid,))))).pages
    assert len(pages) > 3
    texts = [page.extract_text() for page in pages]
    assert all("合计金额" in text for text in texts[:4])
    assert "第2页" in texts[1]
    assert all(f"{number}.00" in "".join(texts) for number in range(200))


def test_the_code_to_scan_is_the_link(signed: bytes) -> None:
    page = pypdfium2.PdfDocument(signed)[0]
    [read] = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    assert read.text == PAPER.link
