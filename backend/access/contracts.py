"""Actors, actions and the refusals of access."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from backend.kernel.errors import Locale, Refusal, Retry


@dataclass(frozen=True)
class Anonymous:
    """Nobody in particular: no token was shown."""

    address: str = ""


@dataclass(frozen=True)
class PersonActor:
    """A signed-in insured person on one of their devices; ``address`` is where the request comes from."""

    person_id: str
    session_id: str
    address: str = field(default="", compare=False)


@dataclass(frozen=True)
class TerminalActor:
    """A terminal of an institution, with the operator who opened its session."""

    terminal_id: str
    institution_id: str
    session_id: str
    operator_id: str


class Role(StrEnum):
    """What a member of staff may do for the people of a region."""

    CLERK = "CLERK"
    """经办: takes cases in, compares papers, decides what one person may decide."""

    CHECKER = "CHECKER"
    """复核: the second person where money or identity moves."""

    SUPERVISOR = "SUPERVISOR"
    """主管: hands cases over and sees how much there is to do."""

    INSPECTOR = "INSPECTOR"
    """稽核: looks into what is reported."""

    EXPERT = "EXPERT"
    """专家: says whether a disease meets its condition, before the agency checks."""

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        zh, en = _ROLES[self.value]
        return zh if locale is Locale.ZH else en


_ROLES = {
    "CLERK": ("经办", "clerk"),
    "CHECKER": ("复核", "checker"),
    "SUPERVISOR": ("主管", "supervisor"),
    "INSPECTOR": ("稽核", "inspector"),
    "EXPERT": ("专家", "expert"),
}


@dataclass(frozen=True)
class Duty:
    """A role in a region: a county, a city with its counties, or the province (GB/T 2260)."""

    role: Role
    region: str


@dataclass(frozen=True)
class StaffActor:
    """A member of the agency's staff who has signed in at the desk."""

    staff_id: str
    session_id: str
    number: str
    duties: tuple[Duty, ...]


@dataclass(frozen=True)
class Operator:
    """Somebody at the province's own console. Never reached over the network."""

    name: str


Actor = Anonymous | PersonActor | TerminalActor | StaffActor | Operator


class Action(StrEnum):
    """Everything that asks for permission."""

    VIEW_RIGHTS = "VIEW_RIGHTS"
    """See enrolments, account and settlements of a person."""

    SHOW_CODE = "SHOW_CODE"
    """Have a code issued that a till can scan for a person."""

    DECIDE_BILL = "DECIDE_BILL"
    """Confirm or refuse a bill of a person."""

    SET_PAYMENT_RULES = "SET_PAYMENT_RULES"
    """Change a person's payment safety settings."""

    FILE = "FILE"
    """File an application for a person."""

    BOOK = "BOOK"
    """Book and cancel appointments of a person."""

    DECODE_CODE = "DECODE_CODE"
    """Scan a code at a till."""

    PRESENT_BILL = "PRESENT_BILL"
    """Price, settle and reverse bills of an institution."""

    UPLOAD_ITEMS = "UPLOAD_ITEMS"
    """Upload an institution's own list of items."""

    ANNOUNCE_OUTAGE = "ANNOUNCE_OUTAGE"
    """Announce, extend or end an outage."""

    PUBLISH_POLICY = "PUBLISH_POLICY"
    """Draft, publish or withdraw policy documents."""


@dataclass(frozen=True)
class SignInRequired(Refusal):
    """The request carries no valid token of the kind that this needs."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "需要先登录。"
    en = "You need to sign in first."
    next_zh = "请登录后再试；终端请重新签到。"
    next_en = "Sign in and try again; a terminal opens a new session."


@dataclass(frozen=True)
class DutyMissing(Refusal):
    """A member of staff has no such duty for the region that this belongs to."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "您没有此参保地的{role}权限。"
    en = "You have no duty as {role} for this insured area."
    next_zh = "请转给参保地经办机构办理，或请主管开通权限。"
    next_en = "Hand it to the agency of that area, or ask a supervisor for the duty."
    role: Role


@dataclass(frozen=True)
class NotPermitted(Refusal):
    """The caller is known but may not do this."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "您无权进行这项操作。"
    en = "You may not do this."
    next_zh = "只能为本人或已绑定的亲属办理；定点机构只能处理本机构的单据。"
    next_en = "You can act for yourself or a bound relative; an institution for its own bills."
    action: str
