"""A hospital's item list as such lists are: the catalogue's items with the noise of real tills.

Each row knows which national item it is, or that it is none. The noise is drawn with a fixed seed from
what hospital lists contain: typos of one character, traditional characters, brand names in brackets,
missing or other units, other signs for ×, a form that is missing or worded otherwise, spaces, full width.
The absent rows are other strengths and packs of items that exist, and drugs that the catalogue lacks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from opencc import OpenCC

from backend.catalogue.contracts import ItemKind, ItemView, LocalItem

_TRADITIONAL = OpenCC("s2t")
_BRANDS = ("欣维宁", "立普妥", "康盛", "同仁", "佳林", "安泰", "华力")
_ALIKE = {
    "酯": "脂",
    "嗪": "秦",
    "唑": "哩",
    "胺": "按",
    "霉": "莓",
    "黄": "簧",
    "芬": "分",
    "汀": "丁",
}
_ABSENT = (
    ("司美格鲁肽注射液", "注射剂", "1.34mg/ml×1.5ml"),
    ("奥希替尼片", "片剂", "80mg×30片"),
    ("玛巴洛沙韦片", "片剂", "20mg×2片"),
    ("达格列净二甲双胍缓释片", "缓释片剂", "10mg/1000mg×7片"),
    ("沙库巴曲缬沙坦钠片", "片剂", "200mg×14片"),
    ("度普利尤单抗注射液", "注射剂", "300mg×2支"),
    ("艾司奥美拉唑镁肠溶干混悬剂", "混悬剂", "10mg×7袋"),
    ("六味熟地颗粒", "颗粒剂", "10g×20袋"),
)


@dataclass(frozen=True)
class Noisy:
    """A row of the list and what it is in truth; ``None`` where the catalogue has no such item."""

    local: LocalItem
    truth: str | None
    noise: str


def noisy_list(items: Sequence[ItemView], seed: int = 20261122) -> list[Noisy]:
    """Return about 600 rows, the same ones each time."""
    chance, drugs = random.Random(seed), [i for i in items if i.kind is ItemKind.DRUG]
    rows: list[Noisy] = []
    makers = {
        "exact": _exact,
        "spaces and width": _width,
        "traditional": _traditional,
        "brand": _brand,
        "typo": _typo,
        "missing unit": _missing_unit,
        "other unit": _other_unit,
        "form missing": _form_missing,
        "two at once": _two,
    }
    for noise, make in makers.items():
        for item in chance.sample(drugs, 60):
            rows.append(_row(len(rows), make(item, chance), item.code, noise))
    for item in chance.sample(drugs, 60):
        rows.append(_row(len(rows), _other_strength(item, drugs, chance), None, "other strength"))
    for name, form, specification in _ABSENT:
        rows.append(_row(len(rows), (name, form, specification), None, "not in the catalogue"))
    known = {(i.name, i.dosage_form, i.specification) for i in drugs}
    return [
        r
        for r in rows
        if r.truth or (r.local.name, r.local.dosage_form, r.local.specification) not in known
    ]


def _row(number: int, fields: tuple[str, str, str], truth: str | None, noise: str) -> Noisy:
    name, form, specification = fields
    local = LocalItem(f"L{number:04d}", ItemKind.DRUG, name, form, specification, "", "")
    return Noisy(local, truth, noise)


Fields = tuple[str, str, str]


def _exact(item: ItemView, _: random.Random) -> Fields:
    return item.name, item.dosage_form, item.specification


def _width(item: ItemView, _: random.Random) -> Fields:
    wide = item.specification.replace("×", " ＊ ").translate(
        str.maketrans("0123456789", "０１２３４５６７８９")
    )
    return f" {item.name[:2]} {item.name[2:]}", item.dosage_form, wide


def _traditional(item: ItemView, _: random.Random) -> Fields:
    return (
        *(_TRADITIONAL.convert(text) for text in (item.name, item.dosage_form)),
        item.specification,
    )


def _brand(item: ItemView, chance: random.Random) -> Fields:
    return f"{item.name}（{chance.choice(_BRANDS)}）", item.dosage_form, item.specification


def _typo(item: ItemView, chance: random.Random) -> Fields:
    name = item.name
    for right, wrong in _ALIKE.items():
        if right in name:
            return name.replace(right, wrong, 1), item.dosage_form, item.specification
    at = chance.randrange(1, len(name))
    return (
        name[:at] + chance.choice("新复安康") + name[at + 1 :],
        item.dosage_form,
        item.specification,
    )


def _missing_unit(item: ItemView, _: random.Random) -> Fields:
    bare = re.sub(r"(片|粒|袋|支|瓶|丸|贴|喷)", "", item.specification)
    return item.name, item.dosage_form, bare


def _other_unit(item: ItemView, _: random.Random) -> Fields:
    def change(match: re.Match[str]) -> str:
        value = float(match.group(1))
        if match.group(2) == "g" and value < 5:
            return f"{value * 1000:g}mg"
        return f"{value / 1000:g}g" if match.group(2) == "mg" and value >= 100 else match.group(0)

    return item.name, item.dosage_form, re.sub(r"([\d.]+)(mg|g)", change, item.specification)


def _form_missing(item: ItemView, _: random.Random) -> Fields:
    return item.name, "", item.specification


def _two(item: ItemView, chance: random.Random) -> Fields:
    name, form, specification = _traditional(item, chance)
    return f"{name}({chance.choice(_BRANDS)})", form, specification.replace("×", "*")


def _other_strength(item: ItemView, drugs: Sequence[ItemView], chance: random.Random) -> Fields:
    """Return an item in a strength or pack that the catalogue does not have."""
    taken = {d.specification for d in drugs if d.name == item.name}
    while True:
        changed = _times(item.specification, chance.choice((2, 3, 5)))
        if changed not in taken and changed != item.specification:
            return item.name, item.dosage_form, changed


def _times(specification: str, factor: int) -> str:
    return re.sub(r"^[\d.]+", lambda m: f"{float(m.group(0)) * factor:g}", specification)
