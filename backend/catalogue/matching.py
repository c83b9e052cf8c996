"""三目比对: which national item a hospital's own item is, judged by its name, form, specification, maker.

Pure. Text similarity is rapidfuzz's, traditional characters are OpenCC's; what is decided here is what
of a name is noise, how the parts weigh, and when a match is sure enough to need no person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

from backend.catalogue.contracts import ItemView, LocalItem, MatchCandidate

if TYPE_CHECKING:
    from opencc import OpenCC

SURE = 92
"""A score from which on a match is taken without a person, if nothing contradicts it and the next
candidate lies at least ``MARGIN`` behind. Chosen on a noisy list of our own; see the README."""
MARGIN = 4
KEPT = 3
_POOL = 12
_WEIGHTS = {"name": 60, "form": 12, "specification": 28}

_BRACKETS = re.compile(r"[（(\[【][^）)\]】]*([）)\]】]|\Z)")
"""A bracket with its end, or one without, which reaches to the end of the text: so each is met once."""
_PUNCTUATION = re.compile(r"[\s·•,，、;；:：/\\\-_—*×xX]+")
_NUMBER_UNIT = re.compile(
    r"(\d+(?:\.\d+)?)\s*(μg|ug|mcg|mg|g|kg|ml|l|iu|u|%|片|粒|袋|支|瓶|喷|丸|贴|枚|揿|s|t)?",
    re.IGNORECASE,
)
_FORMS_TEXT = """
缓释胶囊 肠溶胶囊 软胶囊 硬胶囊 胶囊 缓释片 控释片 肠溶片 分散片 咀嚼片 泡腾片 含片 薄膜衣片
糖衣片 片 颗粒 口服溶液 口服液 糖浆 混悬液 合剂 干混悬剂 冲剂 散 滴丸 浓缩丸 水蜜丸 蜜丸
丸 注射用 注射液 粉针 乳膏 软膏 凝胶 滴眼液 眼膏 滴鼻液 喷雾 吸入 贴膏 贴剂 栓 洗剂 搽剂
酊
"""
_FORMS = _FORMS_TEXT.split()
_STRENGTH_TO_MG = {
    "μg": 0.001,
    "ug": 0.001,
    "mcg": 0.001,
    "mg": 1.0,
    "g": 1000.0,
    "kg": 1_000_000.0,
}
_VOLUME_TO_ML = {"ml": 1.0, "l": 1000.0}
_PACK_UNITS = frozenset(["片", "粒", "袋", "支", "瓶", "喷", "丸", "贴", "枚", "揿", "s", "t"])


@dataclass(frozen=True)
class _Known:
    """A catalogue item, made comparable once."""

    item: ItemView
    core: str
    form: str
    numbers: frozenset[tuple[str, float]]


class Matcher:
    """Proposes national items for local ones. Made once for a catalogue of a day."""

    def __init__(self, items: Iterable[ItemView]) -> None:
        self._known = [_known(item) for item in items]
        self._by_code = {known.item.code: known for known in self._known}
        self._cores = [known.core for known in self._known]

    def candidates(self, local: LocalItem) -> list[MatchCandidate]:
        """Return the likeliest national items of the same catalogue, the best first, at most three."""
        core, form = core_of(local.name), form_of(local.name, local.dosage_form)
        numbers = numbers_of(local.specification)
        found = process.extract(core, self._cores, scorer=_name_score, limit=_POOL)
        pool = {index: score for _, score, index in found}
        if local.national_code in self._by_code:
            named = self._by_code[local.national_code]
            index = self._known.index(named)
            pool.setdefault(index, _name_score(core, named.core))
        scored = [
            self._scored(self._known[index], name, form, numbers, local)
            for index, name in pool.items()
            if self._known[index].item.kind is local.kind
        ]
        scored.sort(key=lambda candidate: (-candidate.score, candidate.code))
        return scored[:KEPT]

    def _scored(
        self,
        known: _Known,
        name: float,
        form: str,
        numbers: frozenset[tuple[str, float]],
        local: LocalItem,
    ) -> MatchCandidate:
        """Score a pair from 0 to 100. What one side does not say neither helps nor contradicts much."""
        forms = 60.0 if not form or not known.form else fuzz.ratio(form, known.form)
        specifications = _specification_score(numbers, known.numbers)
        parts = {"name": name, "form": forms, "specification": specifications}
        score = sum(parts[part] * weight for part, weight in _WEIGHTS.items())
        whole, _ = divmod(round(score), 100)
        contradicted = specifications == 0 or (bool(form and known.form) and forms < 50)
        same_code = local.national_code == known.item.code
        if same_code and name >= 60 and not contradicted:
            whole = max(whole, SURE + MARGIN)
        return MatchCandidate(
            code=known.item.code,
            name=known.item.name,
            dosage_form=known.item.dosage_form,
            specification=known.item.specification,
            score=whole,
            contradicted=contradicted,
            same_code=same_code,
        )


def sure_match(candidates: Sequence[MatchCandidate]) -> MatchCandidate | None:
    """Return the match that needs no person: high, uncontradicted, and well ahead of the next."""
    if not candidates:
        return None
    best = candidates[0]
    ahead = len(candidates) == 1 or best.score - candidates[1].score >= MARGIN
    return best if best.score >= SURE and ahead and not best.contradicted else None


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return a text in simplified characters, half width and lower case, without brackets."""
    folded = unicodedata.normalize("NFKC", text).lower()
    simplified = _simplifier().convert(folded)
    return _BRACKETS.sub(lambda part: "" if part[1] else part[0], simplified).strip()


@cache
def _simplifier() -> OpenCC:
    """Return what turns traditional characters into simplified ones; its tables are read once."""
    from opencc import OpenCC  # only the matching of local items needs it

    return OpenCC("t2s")


def core_of(name: str) -> str:
    """Return what of a name tells the substance: without form, brand in brackets, salt signs, spaces."""
    core = _PUNCTUATION.sub("", plain(name))
    for form in _FORMS:
        if core.endswith(form) and len(core) > len(form) + 1:
            core = core.removesuffix(form)
            break
    return core.removeprefix("注射用")


def form_of(name: str, dosage_form: str) -> str:
    """Return the dosage form, from its own field or else from the end of the name."""
    stated = _PUNCTUATION.sub("", plain(dosage_form)).removesuffix("剂")
    if stated:
        return stated
    bare = _PUNCTUATION.sub("", plain(name))
    return next((form for form in _FORMS if bare.endswith(form)), "")


def numbers_of(specification: str) -> frozenset[tuple[str, float]]:
    """Return strengths in mg, volumes in ml, shares and the number in a pack. ``0.25g×24粒``."""
    found = set()
    text = unicodedata.normalize("NFKC", specification).lower().replace("µ", "μ")
    for number, unit in _NUMBER_UNIT.findall(text):
        value = float(number)
        if unit in _STRENGTH_TO_MG:
            found.add(("mg", round(value * _STRENGTH_TO_MG[unit], 6)))
        elif unit in _VOLUME_TO_ML:
            found.add(("ml", round(value * _VOLUME_TO_ML[unit], 6)))
        elif unit in ("iu", "u", "%"):
            found.add((unit.removeprefix("i"), value))
        else:
            found.add(("pack" if unit in _PACK_UNITS else "", value))
    return frozenset(found)


def _known(item: ItemView) -> _Known:
    return _Known(
        item,
        core_of(item.name),
        form_of(item.name, item.dosage_form),
        numbers_of(item.specification),
    )


def _name_score(one: str, other: str, **_: object) -> float:
    """Return how alike two cores are; one that merely contains the other is not the same drug."""
    return fuzz.ratio(one, other)


def _specification_score(
    one: frozenset[tuple[str, float]], other: frozenset[tuple[str, float]]
) -> float:
    """Return 100 where all figures agree, 0 where a strength contradicts, and between where some lack.

    A number without a unit agrees with the same number of any unit.
    """
    if not one or not other:
        return 55.0
    bare = {value for unit, value in one if not unit}
    agreed = sum((unit, value) in one or value in bare for unit, value in other)
    for unit in ("mg", "ml", "u", "%", "pack"):
        mine = {value for u, value in one if u == unit}
        theirs = {value for u, value in other if u == unit}
        if mine and theirs and not mine & theirs:
            return 0.0
    return 100.0 * agreed / max(len(one), len(other))
