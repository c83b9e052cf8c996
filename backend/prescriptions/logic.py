"""Pure decisions about prescriptions."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from backend.kernel.calendar import local_day
from backend.prescriptions.contracts import (
    FilledLine,
    PrescribedLine,
    PrescriptionProblem,
    SignPrescription,
)

LINES_MAX = 5
"""《处方管理办法》 (卫生部令第53号) 第六条: at most five drugs on a prescription."""
LONG_DAYS_MAX = 84
"""《长期处方管理规范（试行）》 国卫办医发〔2021〕17号: at most twelve weeks."""
_FILLS_MAX = 12
_EARLY_DAYS = 7
_TEXT_MAX = 200


def problem_of(said: SignPrescription) -> PrescriptionProblem | None:
    """Return what is wrong with a prescription by itself."""
    named = (said.doctor_code, said.doctor, said.signature, said.diagnosis)
    codes = [line.code for line in said.lines]
    usable = all(line.quantity > 0 and len(line.usage) <= _TEXT_MAX for line in said.lines)
    long = said.fills > 1
    days = said.fills * said.fill_days
    checks = (
        (all(one.strip() and len(one) <= _TEXT_MAX for one in named), PrescriptionProblem.DOCTOR),
        (
            1 <= len(codes) <= LINES_MAX and len(set(codes)) == len(codes) and usable,
            PrescriptionProblem.LINES,
        ),
        (
            1 <= said.fills <= _FILLS_MAX
            and said.fill_days >= 1
            and days <= LONG_DAYS_MAX
            and (bool(said.disease) or not long),
            PrescriptionProblem.LONG,
        ),
    )
    return next((problem for holds, problem in checks if not holds), None)


def fits(prescribed: tuple[PrescribedLine, ...], filled: tuple[FilledLine, ...]) -> bool:
    """Tell whether what is dispensed is what was prescribed, packs of one drug added up."""
    wanted = {line.code: int(line.quantity) for line in prescribed}
    given: Counter[str] = Counter()
    for line in filled:
        given[line.code] += int(line.quantity)
    return dict(given) == wanted


def next_fill(handed_over: datetime, fill_days: int, hours: int) -> tuple[date, datetime]:
    """Return from which day the next fill can be had, some days before the last runs out, and until when."""
    due = local_day(handed_over) + timedelta(days=fill_days)
    starts = max(due - timedelta(days=_EARLY_DAYS), local_day(handed_over) + timedelta(days=1))
    return starts, handed_over + timedelta(days=fill_days, hours=hours)
