"""Documents that are written from the rulebook itself, so that what is read is what is reckoned with.

Each pack is a document; so is each official text that a number was taken from, with what was taken; and
each insured area has guides with its own days and numbers. All of it is this program's own wording.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from backend.policies import logic
from backend.policies.document_contracts import DocumentKind, NewDocument
from backend.regions.library import PROVINCE_POOLS, area_name, children, province_code
from backend.rulebook.library import NATION, Rulebook, shipped_packs

_ISSUERS = (
    ("国办", "国务院办公厅"),
    ("国家医疗保障局", "国家医疗保障局"),
    ("川医保", "四川省医疗保障局"),
    ("医保发", "国家医疗保障局"),
    ("劳社部", "劳动和社会保障部"),
)
_GUIDES: tuple[tuple[str, str, str, tuple[tuple[str, str], ...], str], ...] = (
    (
        "filing",
        "异地就医备案办理指南",
        "filing",
        (
            ("review_workdays", "提交材料的，{}个工作日内办结；承诺办理的即时办结。"),
            ("promise_lock_months", "承诺办理的，{}个月内变更或取消须补交证明。"),
            ("temporary_months", "临时外出就医的备案有效{}个月。"),
            ("backdate_days_max", "补办时开始日最早可以是{}天前。"),
        ),
        "在“异地就医备案”中选择备案类型和就医地，可以承诺或提交材料；上传国家平台成功后生效，才能直接结算。"
        "出院结算前补办的，按备案结算。",
    ),
    (
        "chronic",
        "门诊慢特病认定办理指南",
        "chronic_review",
        (
            ("review_workdays", "{}个工作日内办结。"),
            ("experts", "由至少{}名专家一致认定，经办机构复核。"),
            ("valid_months", "认定后{}个月复审。"),
            ("appeal_workdays", "未通过的可以申诉，{}个工作日内答复。"),
        ),
        "在“门诊慢特病待遇”中选择病种和认定医院，上传诊断证明、病历和近6个月的检验报告。",
    ),
    (
        "claim",
        "手工报销办理指南",
        "manual_claims",
        (
            ("review_workdays", "材料齐全的，{}个工作日内办结。"),
            ("deadline_months", "就医结束后{}个月内申请；超过的由经办机构决定。"),
        ),
        "没有直接结算的费用，在“手工（零星）报销申请”中上传发票、费用明细和病历，填写收款账户；"
        "核算和复核由两人办理，付款进度可查。",
    ),
    (
        "waiting",
        "居民医保参保缴费与待遇等待期",
        "waiting",
        (
            ("fixed_months", "未在集中参保期参保或未连续参保的，等待期{}个月。"),
            ("months_per_gap_year", "每断保一年增加{}个月。"),
            ("months_per_repaired_year", "每补缴一年减少{}个月。"),
            ("long_gap_years", "断保满{}年的，修复后仍有最低等待期。"),
        ),
        "缴费前先看等待期：等待期内发生的费用不支付，新生儿等按规定不设等待期。缴费由税务部门办理。",
    ),
    (
        "wallet",
        "医保钱包与家庭共济使用说明",
        "wallet",
        (("transfers_a_day", "每天最多转账{}次。"),),
        "亲情账户展示家人的医保码，花的是家人自己的钱；家庭共济让家人用您的个人账户支付个人负担部分；"
        "医保钱包可以把个人账户的钱转给近亲属，包括外省参保的。",
    ),
)


NEIGHBOURS = ("500000", "520000", "530000", "540000", "610000", "620000", "630000")
"""The provinces around Sichuan."""
_REPORTED = Path(__file__).parent / "neighbours.yaml"
_ABROAD = "目录（哪些能报）按就医地，起付标准、比例和限额按参保地。"


def shipped_documents(packs: Mapping[str, Any], book: Rulebook, today: date) -> list[NewDocument]:
    """Return all documents that are written from packs, each with a code of its own."""
    texts: dict[str, NewDocument] = {}
    written = (
        *(*_rules(packs), *_notices(packs), *_guides(book, today), *_news(packs)),
        *(*_to_neighbours(book, today), *_of_neighbours()),
    )
    for document in written:
        texts.setdefault(document.code, document)
    return list(texts.values())


@cache
def descriptions(topic: str) -> dict[str, str]:
    """Return what each parameter of a topic is called, as the shipped packs say it; read once."""
    found: dict[str, str] = {}
    for pack in shipped_packs().values():
        if pack["topic"] == topic:
            for name, parameter in pack["parameters"].items():
                found.setdefault(name, _plain(parameter["description"]))
    return found


def _rules(packs: Mapping[str, Any]) -> Iterator[NewDocument]:
    for pack in packs.values():
        references = pack.get("references") or {}
        first: Mapping[str, Any] = next(iter(references.values()), {})
        lines, provisional, starts = [], False, []
        for parameter in pack["parameters"].values():
            lines.append(_plain(parameter["description"]))
            for value in parameter["values"]:
                starts.append(_day(value["from"]))
                provisional |= bool(value.get("provisional"))
                lines.append(_value_line(parameter["unit"], value))
        region = str(pack["region"])
        yield NewDocument(
            code=str(pack["pack"]),
            kind=DocumentKind.RULE,
            region=region,
            title=str(pack["title"]),
            issuer=_issuer(str(first.get("document", "")), str(first.get("number", ""))),
            number=str(first.get("number", "")),
            published_on=None,
            effective_from=min(starts),
            summary=f"{_place(region)}：{'；'.join(lines[::2][:4])}。",
            body="\n".join(lines),
            topic=str(pack["topic"]),
            insurance=logic.insurance_of(str(pack["topic"])),
            source=str(first.get("source", "")),
            provisional=provisional,
        )


def _notices(packs: Mapping[str, Any]) -> Iterator[NewDocument]:
    """Yield one document for each official text, with every clause that a rule was taken from."""
    taken: dict[tuple[str, str], list[tuple[Any, str, date]]] = {}
    for pack in packs.values():
        starts = min(_day(v["from"]) for p in pack["parameters"].values() for v in p["values"])
        for reference in (pack.get("references") or {}).values():
            key = (str(reference["document"]), str(reference.get("number", "")))
            taken.setdefault(key, []).append((reference, str(pack["title"]), starts))
    for serial, ((title, number), uses) in enumerate(sorted(taken.items()), 1):
        reference = uses[0][0]
        regions = {_region_of(packs, use[1]) for use in uses}
        clauses = dict.fromkeys(f"{use[0].get('clause', '')}（用于：{use[1]}）" for use in uses)
        yield NewDocument(
            code=f"TEXT-{serial:03d}",
            kind=DocumentKind.NOTICE,
            region=NATION if NATION in regions else min(regions),
            title=title,
            issuer=_issuer(title, number),
            number=number,
            published_on=None,
            effective_from=min(use[2] for use in uses),
            summary=f"{title}{number}：{next(iter(clauses))}",
            body="\n".join(
                [*clauses, f"出处：{reference.get('source', '')}", "本页是摘要，以正式文件为准。"]
            ),
            source=str(reference.get("href", "")),
            provisional=False,
        )


def _guides(book: Rulebook, today: date) -> Iterator[NewDocument]:
    areas = [city.code for city in children("510000")] + list(PROVINCE_POOLS)
    for area in areas:
        for key, title, topic, numbers, opening in _GUIDES:
            lines, provisional, starts = [opening], False, date(2023, 1, 1)
            for name, words in numbers:
                found = book.find_if_any(area, f"{topic}.{name}", today)
                if found is not None:
                    mark = "（暂定）" if found.ref.provisional else ""
                    lines.append(words.format(found.count) + mark)
                    provisional |= found.ref.provisional
                    starts = max(starts, found.ref.effective_from)
            yield NewDocument(
                code=f"GUIDE-{area}-{key}",
                kind=DocumentKind.GUIDE,
                region=area,
                title=f"{area_name(area)}{title}",
                issuer=f"{area_name(area)}医疗保障经办机构（示例）",
                number="",
                published_on=None,
                effective_from=starts,
                summary=lines[0],
                body="\n".join(lines),
                topic=topic,
                insurance=logic.insurance_of(f"x_{'resident' if key == 'waiting' else ''}"),
                provisional=provisional,
            )


def _news(packs: Mapping[str, Any]) -> Iterator[NewDocument]:
    """Yield what has changed: each later value of a parameter, as of its day."""
    for pack in packs.values():
        for name, parameter in pack["parameters"].items():
            for before, after in pairwise(parameter["values"]):
                starts = _day(after["from"])
                what = _plain(parameter["description"])
                yield NewDocument(
                    code=f"NEWS-{pack['pack']}-{name}-{starts}",
                    kind=DocumentKind.NEWS,
                    region=str(pack["region"]),
                    title=f"{_place(str(pack['region']))}：{what}自{starts}起调整",
                    issuer="",
                    number="",
                    published_on=None,
                    effective_from=starts,
                    summary=f"{pack['title']}：{what}。",
                    body="\n".join(
                        _value_line(parameter["unit"], value) for value in (before, after)
                    ),
                    topic=str(pack["topic"]),
                    insurance=logic.insurance_of(str(pack["topic"])),
                    provisional=bool(after.get("provisional")),
                )


def _to_neighbours(book: Rulebook, today: date) -> Iterator[NewDocument]:
    """Yield for each province around what care there means for the insured of each area of ours."""
    areas = [city.code for city in children("510000")] + list(PROVINCE_POOLS)
    for there in NEIGHBOURS:
        lines, local = [_ABROAD], []
        provisional = False
        for area in areas:
            found = book.find_if_any(area, "cross_region.local_provinces", today)
            if found is not None and province_code(there) in found.items:
                local.append(area_name(area))
                provisional |= found.ref.provisional
        if local:
            lines.append(f"{'、'.join(local)}参保人员：不需备案，视同本地，待遇不降低。")
        others = "其他参保地" if local else "四川各参保地"
        lines.append(f"{others}：先办备案，备案生效后直接结算；没有备案的，比例按参保地规定降低。")
        lines.append("出发前在“能直接结算吗”中按人员、医院和日期查询。")
        yield NewDocument(
            code=f"GUIDE-{there}-away",
            kind=DocumentKind.GUIDE,
            region=there,
            title=f"四川参保人员到{area_name(there)}就医",
            issuer="",
            number="",
            published_on=None,
            effective_from=date(2023, 1, 1),
            summary=lines[1],
            body="\n".join(lines),
            topic="cross_region",
            provisional=provisional or not local,
        )


def _of_neighbours() -> Iterator[NewDocument]:
    """Yield what is publicly reported of places around; none of it rests on an official text."""
    for serial, one in enumerate(yaml.safe_load(_REPORTED.read_text(encoding="utf-8")), 1):
        yield NewDocument(
            code=f"AROUND-{serial:03d}",
            kind=DocumentKind.RULE,
            region=one["region"],
            title=one["title"],
            issuer="",
            number="",
            published_on=None,
            effective_from=one["from"],
            summary=one["summary"],
            body=f"{one['body'].strip()}\n出处：{one['source']}。未见正式文件，以当地为准。",
            source=one["href"],
            provisional=True,
        )


def _value_line(unit: str, value: Mapping[str, Any]) -> str:
    since = f"自{value['from']}起"
    if "until" in value:
        since += f"至{value['until']}"
    if "table" in value:
        shown = "分情形规定"
    else:
        raw = value.get("value")
        units = {"yuan": "元", "count": ""}
        shown = "、".join(map(str, raw)) if isinstance(raw, list) else f"{raw}{units.get(unit, '')}"
    note = f"（暂定：{value['note']}）" if value.get("provisional") and value.get("note") else ""
    return f"{since}：{shown}{note}"


def _region_of(packs: Mapping[str, Any], title: str) -> str:
    return next(str(pack["region"]) for pack in packs.values() if str(pack["title"]) == title)


def _issuer(title: str, number: str) -> str:
    for sign, issuer in _ISSUERS:
        if sign in number or sign in title:
            return issuer
    return ""


def _plain(description: Any) -> str:
    """Return the Chinese of a description; what follows in English is for authors of packs."""
    return str(description).split(". ")[0].rstrip(".")


def _place(region: str) -> str:
    return "全国" if region == NATION else area_name(region)


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
