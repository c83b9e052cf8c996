"""Institutions and terminals as the rest of the system sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Refusal, Retry


class InstitutionKind(StrEnum):
    """定点医疗机构 or 定点零售药店."""

    HOSPITAL = "HOSPITAL"
    PHARMACY = "PHARMACY"


class Ability(StrEnum):
    """What an institution is equipped and contracted for."""

    OUTPATIENT = "OUTPATIENT"
    INPATIENT = "INPATIENT"
    CHRONIC_DISEASE = "CHRONIC_DISEASE"
    OUTPATIENT_POOLING = "OUTPATIENT_POOLING"
    """门诊统筹: the pooling fund pays here."""
    DUAL_CHANNEL = "DUAL_CHANNEL"
    EXTERNAL_PRESCRIPTION = "EXTERNAL_PRESCRIPTION"
    MOBILE_PAYMENT = "MOBILE_PAYMENT"
    FACE_CHECK = "FACE_CHECK"
    CAMPUS = "CAMPUS"
    """校医院: first contact for students of its university."""


class Agreement(StrEnum):
    """State of the designation agreement (定点协议)."""

    OPEN = "OPEN"
    SUSPENDED = "SUSPENDED"
    TERMINATED = "TERMINATED"


@dataclass(frozen=True)
class InstitutionView:
    """A designated institution. ``level`` is 3, 2, 1 or 0 for hospitals and ``None`` for pharmacies.

    ``latitude`` and ``longitude`` in millionths of a degree; ``hours`` of the seven days from Monday, as
    ``08:00-20:30``, empty where it is shut; ``on_duty``: the pharmacist on duty.
    """

    id: str
    code: str
    name: str
    kind: InstitutionKind
    level: int | None
    division_code: str
    area_code: str
    address: str
    abilities: tuple[Ability, ...]
    agreement: Agreement
    latitude: int | None = None
    longitude: int | None = None
    hours: tuple[str, ...] = ()
    on_duty: str = ""


@dataclass(frozen=True)
class Point:
    """A place on the map, in millionths of a degree (WGS 84)."""

    latitude: int
    longitude: int


@dataclass(frozen=True)
class SearchInstitutions:
    """What somebody looks for. What is ``None`` or empty does not matter.

    ``within_metres`` of ``near``; ``open_at``: open at that moment; ``abilities``: all of them.
    """

    text: str = ""
    kind: InstitutionKind | None = None
    region: str = ""
    level: int | None = None
    abilities: tuple[Ability, ...] = ()
    near: Point | None = None
    within_metres: int | None = None
    open_at: datetime | None = None
    open_agreements_only: bool = True


@dataclass(frozen=True)
class InstitutionFound:
    """An institution that was found, how far it is, and whether it is open at the moment asked about."""

    institution: InstitutionView
    metres: int | None
    open: bool | None
    hours_today: str


@dataclass(frozen=True)
class OpenTerminalSession:
    """A terminal proves itself with an assertion signed by its own key and names its operator."""

    assertion: str
    operator_id: str
    operator_name: str


@dataclass(frozen=True)
class TerminalSessionView:
    """An open session; the token is shown once."""

    session_id: str
    access_token: str
    expires_at: datetime
    institution: InstitutionView
    terminal_number: str
    operator_id: str


@dataclass(frozen=True)
class CloseTerminalSession:
    """The operator goes home."""

    actor: Actor


@dataclass(frozen=True)
class TerminalSessionClosed:
    """The session is over; its token is worthless from now on."""

    session_id: str


@dataclass(frozen=True)
class TerminalNotRegistered(Refusal):
    """The terminal is unknown, was withdrawn, or its signature does not prove it."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "终端未登记、已停用或签名不符。"
    en = "The terminal is not registered, was withdrawn, or its signature does not fit."
    next_zh = "请检查终端备案号、密钥和时间；仍不通过时请联系医保经办机构登记终端。"
    next_en = "Check the terminal number, its key and its clock, or register it with the agency."


@dataclass(frozen=True)
class OperatorUnnamed(Refusal):
    """No operator was named, or the name or number is too long."""

    zh = "请填写操作员工号（20字以内）和姓名（30字以内）。"
    en = "Name the operator: a number of up to 20 and a name of up to 30 characters."
    next_zh = "补充操作员信息后重新签到。"
    next_en = "Add the operator and open the session again."


@dataclass(frozen=True)
class AgreementNotOpen(Refusal):
    """The institution's designation agreement is suspended or ended."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "{institution}的医保定点协议目前为“{agreement}”，不能进行医保结算。"
    en = "The designation agreement of {institution} is {agreement}; it cannot settle."
    next_zh = "请患者自费或前往其他定点机构；机构请联系所在地医保局。"
    next_en = "The patient pays in cash or goes elsewhere; the institution asks its bureau."
    institution: str
    agreement: str
