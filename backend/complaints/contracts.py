"""What somebody complains about or suggests, and why that cannot be sent like this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.kernel.errors import Locale, Refusal, Retry


class ComplaintAbout(StrEnum):
    """What kind of thing is said."""

    COMPLAINT = "COMPLAINT"
    SUGGESTION = "SUGGESTION"


class ComplaintTopic(StrEnum):
    """What it is about."""

    CHARGE = "CHARGE"
    SETTLEMENT = "SETTLEMENT"
    REFUSED_CARE = "REFUSED_CARE"
    SERVICE = "SERVICE"
    AGENCY = "AGENCY"
    APP = "APP"
    POLICY = "POLICY"
    OTHER = "OTHER"


@dataclass(frozen=True)
class ComplaintForm:
    """A complaint or a suggestion. ``area_code``: whose agency answers; ``institution_code`` may be empty."""

    about: ComplaintAbout
    topic: ComplaintTopic
    area_code: str
    institution_code: str
    happened_on: date | None
    words: str


class ComplaintProblem(StrEnum):
    """Why it cannot be sent like this."""

    WORDS = "WORDS"
    INSTITUTION = "INSTITUTION"
    PLACE = "PLACE"
    DAY = "DAY"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "WORDS": ("请写明情况，不超过1000字", "say what it is, in at most 1000 characters"),
    "INSTITUTION": ("没有这家医药机构", "there is no such institution"),
    "PLACE": (
        "只受理本省的事项，外省的请向当地医保部门反映",
        "only what is of this province is taken; another province takes its own",
    ),
    "DAY": ("发生日期不能晚于今天", "it cannot have happened after today"),
}


@dataclass(frozen=True)
class ComplaintNotPossible(Refusal):
    """A complaint or suggestion cannot be sent like this."""

    retry: ClassVar[Retry] = Retry.NEVER
    problem: ComplaintProblem
    zh = "不能这样提交：{problem}。"
    en = "It cannot be sent like this: {problem}."
    next_zh = "请按提示修改，草稿不会丢失。"
    next_en = "Change it as it says; a draft is not lost."
