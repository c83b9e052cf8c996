"""Certificates over HTTP: ``GET /certificates/<id>.pdf`` for whose it is, ``/verify`` for anybody.

The file is laid out and signed when it is first fetched and stays the same from then on. The page to verify
needs no app and runs no script: a check code is typed or scanned, or the file itself is handed in.
"""

from __future__ import annotations

import hashlib
import logging
from base64 import b64encode
from datetime import datetime
from enum import Enum
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from backend.certificates import queries, service
from backend.certificates.contracts import (
    CertificatePaper,
    CertificateState,
    CheckCodeUnknown,
    SealMissing,
    SettlementFacts,
    TooManyChecks,
    Verified,
    VerifyCertificate,
)
from backend.infra.database import Resources
from backend.infra.settings import Settings
from backend.infra.stamp import Stamp, StampError, load_stamp
from backend.kernel.calendar import local_day, local_minute
from backend.kernel.errors import Locale, Refusal
from backend.kernel.money import Fen, yuan_text
from backend.orders.contracts import ChannelName
from backend.regions.library import area_name
from mobile_bff.file_queue import FileQueue
from mobile_bff.file_routes import (
    FileRoutes,
    FormBroken,
    FormShape,
    locale_of,
    path_id,
    refusal_answer,
    sent_files,
)
from mobile_bff.pdf_contracts import Grid, Paper
from mobile_bff.wording import status

FILE_BYTES_MAX = 5_000_000
_CODE_MAX = 64
_FORM = FormShape(parts=("file",), words="send one file", bytes_max=FILE_BYTES_MAX)
_TITLES = {
    "ENROLMENT": "基本医疗保险参保凭证",
    "CONTRIBUTIONS": "基本医疗保险参保缴费证明",
    "SETTLEMENTS": "医疗费用结算清单",
    "RECEIPT": "医疗保障结算单",
}


class Certificates:
    """Hands out signed certificates, and lets anybody verify one."""

    def __init__(self, routes: FileRoutes, queue: FileQueue, resources: Resources) -> None:
        self._routes = routes
        self._queue = queue
        self._resources = resources

    async def file(self, request: Request) -> Response:
        """Answer with the signed file of a certificate; it is laid out and signed in no transaction."""
        caller, certificate_id = self._routes.caller(request), path_id(request, "certificate_id")
        paper = await self._routes.write(
            caller, lambda unit, actor: service.paper(unit, actor, certificate_id)
        )
        if isinstance(paper, Refusal):
            return refusal_answer(paper, request)
        content = paper.file
        if content is None:
            now = self._resources.clock.now()
            try:
                made = await self._queue.run(lambda: self._signed(paper, now))
            except StampError:
                logging.getLogger("yibao").exception("certificates cannot be signed")
                return refusal_answer(SealMissing(), request)
            if isinstance(made, Refusal):
                return refusal_answer(made, request)
            signed = made
            content = await self._routes.write(
                caller, lambda unit, _: service.keep(unit, certificate_id, signed)
            )
        name = f'attachment; filename="{paper.view.number}.pdf"'
        headers = {"content-disposition": name}
        return Response(content, media_type="application/pdf", headers=headers)

    async def page(self, request: Request) -> Response:
        """Answer with the page to verify, and what a check code in its path or query stands for."""
        code = str(request.path_params.get("code", "")) or request.query_params.get("code", "")
        if not code:
            return _page(request, "")
        caller, code = self._routes.caller(request), code[:_CODE_MAX]
        outcome = await self._routes.write(
            caller,
            lambda unit, _: service.verify(unit, VerifyCertificate(caller.address, code)),
        )
        return _page(request, code, outcome)

    async def check(self, request: Request) -> Response:
        """Answer what a file is that is handed in: one of ours, unchanged, or not.

        The file is compared by its hash and never opened: whatever it holds, nothing here reads it.
        """
        try:
            [sent] = await sent_files(request, _FORM)
        except FormBroken:
            return _page(request, "", CheckCodeUnknown())
        digest = await self._queue.run(lambda: hashlib.sha256(sent.content).hexdigest())
        if isinstance(digest, Refusal):
            return refusal_answer(digest, request)
        verified = await self._routes.read(
            self._routes.caller(request), lambda unit, _: queries.by_digest(unit, digest)
        )
        return _page(request, "", verified or CheckCodeUnknown(), of_file=True)

    def _signed(self, found: CertificatePaper, now: datetime) -> bytes:
        """Return the file of a certificate. Raises ``StampError``."""
        from mobile_bff.pdf import pdf_of  # the layout of PDF is loaded with the first file

        stamp = load_stamp(self._resources.settings.resolved_seal_file)
        paper = paper_of(found, self._resources.settings, stamp)
        return stamp.sign(pdf_of(paper), f"{paper.title} {paper.number}", now)


def paper_of(found: CertificatePaper, settings: Settings, stamp: Stamp) -> Paper:
    """Return what a certificate says, in words."""
    view, facts = found.view, found.facts
    day = local_day(view.issued_at)
    stated = [
        ("姓名", facts.name),
        ("证件号码", facts.id_number),
        ("凭证编号", view.number),
        ("开具时间", local_minute(view.issued_at)),
        ("电子印章", stamp.owner),
    ]
    if view.year is not None:
        stated.append(("年度", str(view.year)))
    notes = [
        f"核验码：{facts.check_code}",
        f"扫描左侧二维码，或在 {settings.public_url}/verify 输入核验码，可核验真伪，有效期至{view.valid_until}。",
        f"本凭证记载截至{day}的信息，含电子签名；改动任何内容，签名即失效。打印件以核验结果为准。",
    ]
    if facts.receipt is not None:
        notes.append("本结算单不是医疗收费电子票据或发票；报销、入账请使用医疗机构开具的票据。")
    if stamp.certificate.issuer == stamp.certificate.subject:
        notes.append("示例印章：签名证书为自签名，本件没有法律效力。")
    return Paper(
        title=_TITLES[view.kind],
        number=view.number,
        stated=tuple(stated),
        grids=_grids(found),
        notes=tuple(notes),
        link=view.link,
        issuer=area_name(settings.region),
    )


def _word(value: Enum) -> str:
    return status(value, Locale.ZH).text


def _grids(found: CertificatePaper) -> tuple[Grid, ...]:
    made = (
        *(_insurances(found), _contributions(found), _bought(found)),
        *(_settlements(found), _cash(found)),
    )
    return tuple(grid for grid in made if grid.rows)


def _insurances(found: CertificatePaper) -> Grid:
    head = ("参保地", "险种", "人员类别", "个人编号", "状态", "起始", "累计月数", "账户余额（元）")
    rows = tuple(
        (
            area_name(one.area_code),
            _word(one.insurance_type),
            _word(one.person_kind),
            one.person_number,
            f"已转往{area_name(one.moved_to)}" if one.moved_to else _word(one.status),
            one.status_from.isoformat(),
            str(one.months_paid),
            "—" if one.balance_fen is None else yuan_text(one.balance_fen),
        )
        for one in found.facts.insurances
    )
    return Grid("参保信息", head, rows, (11, 13, 11, 23, 9, 12, 9, 13), (6, 7))


def _contributions(found: CertificatePaper) -> Grid:
    head = (
        "参保地",
        "起",
        "止",
        "状态",
        "基数（元）",
        "个人（元）",
        "单位或财政（元）",
        "缴费日",
        "单位",
    )
    rows = tuple(
        (
            area_name(one.area_code),
            one.starts.isoformat(),
            one.ends.isoformat(),
            "已补缴" if one.repairs else _word(one.state),
            yuan_text(one.base_fen),
            yuan_text(one.own_fen),
            yuan_text(one.others_fen),
            "—" if one.paid_on is None else one.paid_on.isoformat(),
            one.payer,
        )
        for one in found.facts.contributions
    )
    return Grid("缴费记录", head, rows, (9, 13, 13, 9, 11, 10, 11, 13, 14), (4, 5, 6))


def _settlements(found: CertificatePaper) -> Grid:
    head = ("结算日期", "类型", "就医类别", "机构", *_PARTS)
    listed = found.facts.settlements
    rows = [
        (
            one.settled_on.isoformat(),
            _word(one.kind),
            _word(one.care),
            one.institution,
            *(yuan_text(amount) for amount in _parts(one)),
        )
        for one in listed
    ]
    if listed:
        sums = (Fen(sum(column)) for column in zip(*map(_parts, listed), strict=True))
        rows.append(("合计", "", "", "", *(yuan_text(amount) for amount in sums)))
    return Grid(
        "结算记录（金额单位：元）",
        head,
        tuple(rows),
        (13, 8, 10, 20, 11, 11, 10, 10, 10, 11),
        tuple(range(4, 10)),
    )


def _bought(found: CertificatePaper) -> Grid:
    head = ("项目", "数量", "单价（元）", "金额（元）", "其中不计入报销（元）")
    receipt = found.facts.receipt
    rows = tuple(
        (one.name, one.quantity, one.unit_price, yuan_text(one.total_fen), yuan_text(one.own_fen))
        for one in (receipt.lines if receipt else ())
    )
    return Grid("费用明细", head, rows, (34, 10, 16, 16, 22), (1, 2, 3, 4))


def _cash(found: CertificatePaper) -> Grid:
    """Return how the cash was paid: both halves of one payment stand on one page."""
    head = ("支付方式", "支付单号", "渠道交易号", "支付（元）", "已退（元）", "结算状态")
    receipt = found.facts.receipt
    if receipt is None:
        return Grid("", head, (), ())
    state = "已撤销" if receipt.taken_back else "有效"
    cash = receipt.cash
    if cash is None:
        whole = sum(one.cash_fen for one in found.facts.settlements)
        row = ("收银台", "—", "—", yuan_text(Fen(whole)), "—", state)
    else:
        row = (
            _word(ChannelName(cash.channel)),
            cash.number,
            cash.trade_number or "—",
            yuan_text(cash.paid_fen),
            yuan_text(cash.returned_fen),
            state,
        )
    return Grid("个人现金部分", head, (row,), (15, 27, 31, 13, 13, 13), (3, 4))


_PARTS = ("总费用", "基金支付", "医院负担", "个人账户", "家庭共济", "现金")


def _parts(one: SettlementFacts) -> tuple[Fen, ...]:
    return (
        *(one.total_fen, one.fund_fen, one.hospital_fen),
        *(one.account_fen, one.family_fen, one.cash_fen),
    )


# -- the page to verify ----------------------------------------------------------------------------

_SAID = {
    Locale.ZH: {
        "title": "凭证核验",
        "ask": "请输入凭证上的核验码，或选择凭证的PDF文件。",
        "code": "核验码",
        "go": "核验",
        "file": "凭证文件",
        "VALID": "真实有效",
        "REVOKED": "已作废：申请人已收回这份凭证，请勿采信",
        "EXPIRED": "已过核验有效期，请要求对方重新开具",
        "unchanged": "这个文件是本系统签发的原件，没有改动。",
        "other_file": "这个文件不是本系统签发的原件，或内容已被改动，请勿采信。",
        "compare": "请与手中的凭证逐项核对：",
    },
    Locale.EN: {
        "title": "Verify a certificate",
        "ask": "Enter the check code of the paper, or choose its PDF file.",
        "code": "Check code",
        "go": "Verify",
        "file": "Its file",
        "VALID": "Genuine and valid",
        "REVOKED": "Taken back by whose it is; do not rely on it",
        "EXPIRED": "Past the time in which it can be verified; ask for another one",
        "unchanged": "This file was signed here and has not been changed.",
        "other_file": "This file was not signed here, or was changed; do not rely on it.",
        "compare": "Compare it with the paper, line by line:",
    },
}
_STYLE = (
    "body{font:18px/1.6 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "input,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;margin:.3rem 0}"
    "button{background:#0b57d0;color:#fff;border:0;border-radius:.4rem}"
    ".good{border-left:.4rem solid #137333;padding:.6rem 1rem;background:#e6f4ea}"
    ".bad{border-left:.4rem solid #b3261e;padding:.6rem 1rem;background:#fce8e6}"
    "dt{color:#444;font-size:.9rem}dd{margin:0 0 .5rem}"
)
_STYLE_DIGEST = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
"""The page's own style and its two forms, and nothing else; nobody frames it."""


def _page(
    request: Request,
    code: str,
    found: Verified | CheckCodeUnknown | TooManyChecks | None = None,
    of_file: bool = False,
) -> Response:
    locale = locale_of(request)
    said = _SAID[locale]
    result, number = _result(found, locale, of_file), 200
    if isinstance(found, Refusal):
        number = 429 if isinstance(found, TooManyChecks) else 404
    body = (
        f'<!doctype html><html lang="{"zh" if locale is Locale.ZH else "en"}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{said['title']}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{said['title']}</h1>{result}<p>{said['ask']}</p>"
        f'<form action="/verify" method="get"><label for="code">{said["code"]}</label>'
        f'<input id="code" name="code" value="{escape(code)}" autocomplete="off" required>'
        f"<button>{said['go']}</button></form>"
        '<form action="/verify" method="post" enctype="multipart/form-data">'
        f'<label for="file">{said["file"]}</label>'
        '<input id="file" name="file" type="file" accept="application/pdf" required>'
        f"<button>{said['go']}</button></form></body></html>"
    )
    return HTMLResponse(body, number, _HEADERS)


def _result(
    found: Verified | CheckCodeUnknown | TooManyChecks | None, locale: Locale, of_file: bool
) -> str:
    said = _SAID[locale]
    if found is None:
        return ""
    if isinstance(found, Refusal):
        words = said["other_file"] if of_file else found.message(locale)
        words = words if of_file else f"{words}{found.next_action(locale)}"
        return f'<p class="bad" role="status">{escape(words)}</p>'
    good = found.state is CertificateState.VALID
    words = said[found.state.value] + (f"。{said['unchanged']}" if of_file and good else "")
    lines = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>"
        for label, text in verified_lines(found, locale)
    )
    return (
        f'<div class="{"good" if good else "bad"}" role="status"><strong>{escape(words)}</strong></div>'
        f"<p>{said['compare']}</p><dl>{lines}</dl>"
    )


def verified_lines(found: Verified, locale: Locale) -> list[tuple[str, str]]:
    """Return what whoever verifies compares with the paper: label and text."""
    zh = locale is Locale.ZH
    lines = [
        ("凭证" if zh else "Certificate", status(found.kind, locale).text),
        ("编号" if zh else "Number", found.number),
        ("姓名" if zh else "Name", found.masked_name),
        ("证件号码" if zh else "ID number", found.masked_id_number),
        ("开具" if zh else "Issued", local_minute(found.issued_at)),
        ("有效期至" if zh else "Valid until", found.valid_until.isoformat()),
    ]
    if found.year is not None:
        lines.append(("年度" if zh else "Year", str(found.year)))
    for one in found.insurances:
        months = f"{one.months_paid}个月" if zh else f"{one.months_paid} months"
        insured = [status(one.insurance_type, locale).text, status(one.status, locale).text, months]
        if one.balance_fen is not None:
            insured.append(f"{'账户余额' if zh else 'balance'} {yuan_text(one.balance_fen)}")
        lines.append((area_name(one.area_code), " · ".join(insured)))
    if found.contributions:
        paid = f"{found.contributions} · {yuan_text(found.own_fen)}"
        lines.append(("缴费记录 · 个人缴费" if zh else "Contributions · own part", paid))
    if found.settlements:
        text = f"{found.settlements} · {yuan_text(found.total_fen)}"
        lines.append(("结算记录 · 总费用" if zh else "Settlements · total", text))
    return lines
