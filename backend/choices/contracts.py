"""Choices and contracts as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.kernel.errors import Locale, Refusal, Retry


@dataclass(frozen=True)
class ChoiceForm:
    """The primary institutions that somebody chooses, by code; they take the place of those before."""

    institution_codes: tuple[str, ...]


@dataclass(frozen=True)
class TeamForm:
    """The doctor team that somebody signs with."""

    team_id: str


@dataclass(frozen=True)
class ChosenView:
    """A chosen institution, from a day to a day."""

    enrolment_id: str
    institution_id: str
    starts: date
    ends: date | None


@dataclass(frozen=True)
class TeamView:
    """A team of family doctors, and how many more it can take."""

    id: str
    institution_id: str
    name: str
    leader: str
    places_left: int


@dataclass(frozen=True)
class TeamContractView:
    """A contract with a team. ``renew_from``: from which day another one may follow."""

    enrolment_id: str
    team: TeamView
    starts: date
    ends: date
    renew_from: date


class ChoiceProblem(StrEnum):
    """Why something cannot be chosen like this."""

    HOW_MANY = "HOW_MANY"
    NOT_FIT = "NOT_FIT"
    THE_SAME = "THE_SAME"
    NO_TEAM = "NO_TEAM"
    TEAM_FULL = "TEAM_FULL"
    SIGNED_ALREADY = "SIGNED_ALREADY"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "HOW_MANY": ("选定机构的数量不对或有重复", "too many institutions, none, or one twice"),
    "NOT_FIT": (
        "所选机构不是参保地的基层定点医疗机构",
        "an institution is no designated primary one of the insured area",
    ),
    "THE_SAME": ("与现在的选定相同", "it is what is chosen already"),
    "NO_TEAM": ("没有这个家庭医生团队", "there is no such team of doctors"),
    "TEAM_FULL": ("这个团队签约已满", "the team can take nobody more"),
    "SIGNED_ALREADY": (
        "已与一个团队签约，到期前一个月起可以续签或更换",
        "there is a contract with a team; another may follow in its last month",
    ),
}


@dataclass(frozen=True)
class ChoiceNotPossible(Refusal):
    """Something cannot be chosen like this."""

    retry: ClassVar[Retry] = Retry.NEVER
    problem: ChoiceProblem
    zh = "不能这样选定或签约：{problem}。"
    en = "It cannot be chosen like this: {problem}."
    next_zh = "请从列出的机构或团队中另选；草稿不会丢失。"
    next_en = "Choose another of those listed; a draft is not lost."
