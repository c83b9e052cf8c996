"""The page to verify a certificate, as somebody without the app sees it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.api.conftest import Site
from tests.api.test_certificates_over_http import fetched, issued


def test_a_code_is_typed_and_a_file_is_chosen(
    browser: Browser, near_site: Site, tmp_path: Path
) -> None:
    phone = near_site.phone("worker_2")
    made = issued(phone)
    file = tmp_path / "paper.pdf"
    file.write_bytes(fetched(near_site, phone, made))
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{near_site.url}/verify")
    page.get_by_label("核验码").fill(str(made["checkCode"]))
    page.get_by_role("button", name="核验").first.click()
    expect(page.get_by_role("status")).to_have_text("真实有效")
    expect(page.get_by_text(str(made["number"]))).to_be_visible()
    page.screenshot(path=tmp_path / "valid.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("凭证文件").set_input_files(file)
    page.get_by_role("button", name="核验").last.click()
    expect(page.get_by_role("status")).to_contain_text("没有改动")
    file.write_bytes(file.read_bytes() + b" ")
    page.get_by_label("凭证文件").set_input_files(file)
    page.get_by_role("button", name="核验").last.click()
    expect(page.get_by_role("status")).to_contain_text("请勿采信")
    assert [text for text in told if "404" not in text] == []
    context.close()
