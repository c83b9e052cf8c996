"""Pure decisions about policy documents: other words for a thing, and what a rule says for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from backend.kernel.money import Fen, yuan_text
from backend.people.contracts import EnrolmentView, InsuranceType
from backend.policies.document_contracts import DocumentView, MeansForMe, PersonalLine
from backend.regions.library import province_code
from backend.rulebook.contracts import Finding
from backend.rulebook.library import NATION, Rulebook

LINES_MAX = 40
_WORDS = (
    ("门特", "门诊慢特病"),
    ("门诊特殊疾病", "门诊慢特病"),
    ("慢病", "门诊慢特病"),
    ("大病医保", "大病保险"),
    ("救助", "医疗救助"),
    ("外地", "异地就医"),
    ("外省", "跨省"),
    ("异地看病", "异地就医"),
    ("看病", "就医"),
    ("报账", "报销"),
    ("报销比例", "支付比例"),
    ("门槛费", "起付标准"),
    ("起付线", "起付标准"),
    ("封顶线", "最高支付限额"),
    ("医保卡的钱", "个人账户"),
    ("个账", "个人账户"),
    ("家人用", "家庭共济"),
    ("断缴", "断保"),
    ("新农合", "居民医保"),
    ("城乡居民", "居民"),
    ("职工医保", "职工"),
    ("透析", "肾透析"),
    ("药费", "药品"),
    ("垫付", "手工报销"),
)
"""What people say, and what documents say for it."""
_PLACES = (
    ("LEVEL_3", "三级医院"),
    ("LEVEL_2", "二级医院"),
    ("LEVEL_1", "一级医院"),
    ("LEVEL_0", "社区或乡镇机构"),
    ("PHARMACY", "定点药店"),
)


def other_words(text: str) -> list[str]:
    """Return other ways to say a query, one word replaced in each."""
    return [
        text.replace(said, meant) for said, meant in _WORDS if said in text and meant not in text
    ]


def means(found: DocumentView, enrolment: EnrolmentView | None, day: date) -> MeansForMe:
    """Return whether a document concerns somebody on a day."""
    if enrolment is None:
        return MeansForMe.NOT_INSURED
    area = enrolment.area_code
    if found.region not in (NATION, f"{province_code(area)}0000", area):
        return MeansForMe.OTHER_AREA
    if found.insurance not in (None, enrolment.insurance_type.value):
        return MeansForMe.OTHER_INSURANCE
    if day < found.effective_from:
        return MeansForMe.NOT_YET
    if found.effective_until is not None and found.effective_until < day:
        return MeansForMe.NO_LONGER
    return MeansForMe.APPLIES


def personal(
    topic: str, descriptions: Mapping[str, str], enrolment: EnrolmentView, day: date, book: Rulebook
) -> list[PersonalLine]:
    """Return what the rules of a topic say for somebody on a day, at each kind of place where it differs."""
    case = {
        "insurance": enrolment.insurance_type.value,
        "person": enrolment.person_kind.value,
        "tier": enrolment.tier,
        "account": enrolment.account_kind.value,
        "status": enrolment.status.value,
        "relation": "LOCAL",
        "filing": "NONE",
        "route": "DIRECT",
        "emergency": "NO",
    }
    lines: list[PersonalLine] = []
    for name, description in descriptions.items():
        parameter = book.parameter(enrolment.area_code, f"{topic}.{name}")
        if parameter is None:
            continue
        places = _PLACES if "place" in parameter.by else (("", ""),)
        for place, words in places:
            asked = {**case, "place": place} if place else case
            finding = parameter.on_or_none(day, asked)
            text = "" if finding is None else said(parameter.unit, finding)
            if finding is not None and text:
                lines.append(PersonalLine(description, words, text, finding.ref.provisional))
    return lines[:LINES_MAX]


def said(unit: str, finding: Finding) -> str:
    """Return a value in words; empty for what says nothing to a reader, such as a way of reckoning."""
    value = finding.value
    if unit == "yuan" and isinstance(value, int):
        return f"{yuan_text(Fen(value))}元"
    if unit == "limit":
        return "不设限额" if value is None else f"{yuan_text(Fen(int(str(value))))}元"
    if unit == "rate" and isinstance(value, Fraction):
        return percent(value)
    if unit == "count" and isinstance(value, int):
        return str(value)
    return ""


def percent(rate: Fraction) -> str:
    """Return a rate as a percentage, exactly where two decimals are enough."""
    hundredths = rate * 10_000
    whole, part = divmod(hundredths.numerator // hundredths.denominator, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"


def insurance_of(topic: str) -> InsuranceType | None:
    """Return the insurance that a topic is about by its name, ``None`` where it is about all."""
    if topic.endswith("_worker"):
        return InsuranceType.EMPLOYEE
    return InsuranceType.RESIDENT if topic.endswith("_resident") else None
