"""Choices and contracts as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
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


@dataclass(frozen=True)
class ReferralView:
    """A referral, from a day to a day, both included."""

    id: str
    from_institution_id: str
    to_institution_id: str
    starts: date
    ends: date
    reason: str


@dataclass(frozen=True)
class ReferPatient:
    """A terminal of a primary institution sends the patient whose code it scanned to another place."""

    actor: Actor
    token: str
    to_code: str
    reason: str
    request_id: str


class ReferralProblem(StrEnum):
    """Why somebody cannot be referred like this."""

    NOT_INSURED = "NOT_INSURED"
    NOT_CHOSEN = "NOT_CHOSEN"
    NO_PLACE = "NO_PLACE"
    REASON = "REASON"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _REFERRALS[self.value][0 if locale is Locale.ZH else 1]


_REFERRALS = {
    "NOT_INSURED": ("患者今天没有参保", "the patient is not insured today"),
    "NOT_CHOSEN": (
        "患者没有选定本机构，也没有与本机构的家庭医生签约",
        "the patient has neither chosen this institution nor signed with a team of it",
    ),
    "NO_PLACE": (
        "接诊机构不存在、已停止协议，或就是本机构",
        "there is no such place under agreement, or it is this one",
    ),
    "REASON": ("没有写明转诊原因", "the reason is missing"),
}


@dataclass(frozen=True)
class ReferralNotPossible(Refusal):
    """Somebody cannot be referred like this."""

    problem: ReferralProblem
    zh = "不能这样转诊：{problem}。"
    en = "They cannot be referred like this: {problem}."
    next_zh = "请核对患者的选定机构和接诊机构的编码；患者可以自行前往，按规定比例报销。"
    next_en = "Check whom they have chosen and the code of the place; they may go on their own."


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
