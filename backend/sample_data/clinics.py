"""Clinics of the sample province: one hospital of the third level books its doctors for a week ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta

from sqlmodel import select

from backend.access.contracts import TerminalActor
from backend.appointments.clinic_contracts import (
    BarRule,
    BookingRules,
    CancelRule,
    ClinicKind,
    ClinicPlan,
    OnePer,
    PublishClinics,
    SeatBlock,
    SetRules,
)
from backend.appointments.clinics import publish, set_rules
from backend.infra.database import Unit
from backend.institutions.model import Institution, Terminal
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen

HOSPITAL = "H51010400001"
_RULES = BookingRules(
    horizon_days=7,
    release_at=time(7),
    one_per=OnePer.DEPARTMENT,
    minimum_age=0,
    pay_first=True,
    hold_minutes=15,
    cancel_ordinary=CancelRule(None, minutes_before=30),
    cancel_expert=CancelRule(time(17), days_before=1),
    missed=(BarRule(3, 365, 30),),
    cancelled=(BarRule(3, 0, 30),),
    waiting_max=50,
)
_DOCTORS = (
    ("0301", "心血管内科", "D01", "甘样例", "主任医师", ClinicKind.EXPERT),
    ("0301", "心血管内科", "", "", "", ClinicKind.ORDINARY),
    ("0501", "儿科", "D02", "古样例", "副主任医师", ClinicKind.EXPERT),
    ("0501", "儿科", "", "", "", ClinicKind.ORDINARY),
)
_FEES = {
    ClinicKind.ORDINARY: ("001101000010000-110100001", Fen(900)),
    ClinicKind.EXPERT: ("001101000020000-110100002", Fen(2500)),
}
_BLOCKS = (SeatBlock(time(8), time(9), 5, 1), SeatBlock(time(9), time(10), 5, 1))
_DAYS = 7


def load_clinics(unit: Unit) -> int:
    """Set the sample hospital's rules and publish its clinics of the days to come; return how many.

    Before: the sample institutions are there. Raises ``ValueError`` where the hospital is refused.
    """
    terminal = unit.db.exec(
        select(Terminal).join(Institution).where(Institution.code == HOSPITAL)
    ).one()
    actor = TerminalActor(terminal.id, terminal.institution_id, "", "sample")
    ruled = set_rules(unit, SetRules(actor, _RULES, "sample-rules"))
    plans = tuple(_plans(unit))
    published = publish(unit, PublishClinics(actor, plans, "sample-clinics"))
    for one in (ruled, published):
        if isinstance(one, Refusal):
            raise ValueError(one)
    return len(plans)


def _plans(unit: Unit) -> Iterator[ClinicPlan]:
    for ahead in range(1, _DAYS + 1):
        day = local_day(unit.now) + timedelta(days=ahead)
        for number, (code, department, doctor_code, doctor, title, kind) in enumerate(_DOCTORS, 1):
            fee_code, fee = _FEES[kind]
            yield ClinicPlan(
                number=f"{day:%m%d}-{number}",
                day=day,
                kind=kind,
                department_code=code,
                department=department,
                doctor_code=doctor_code,
                doctor=doctor,
                title=title,
                place=f"门诊楼{number}层",
                fee_code=fee_code,
                fee_fen=fee,
                blocks=_BLOCKS,
            )
