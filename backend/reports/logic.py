"""Pure decisions about reports and their rewards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from backend.kernel.calendar import add_months
from backend.kernel.money import Fen, share
from backend.reports.contracts import (
    LodgeReport,
    ReportEvent,
    ReportProblem,
    ReportState,
)
from backend.rulebook.contracts import Band

FACTS_MIN = 20
FACTS_MAX = 4000
FIELD_MAX = 100
WORDS_MAX = 1000
EXTENSIONS_MAX = 2
_ACCOUNT = re.compile(r"\d{8,30}\Z", re.ASCII)
CLOSED = (ReportState.TRUE, ReportState.UPHELD, ReportState.WITHDRAWN)


def reward_of(value: Fen, bands: Sequence[Band], least: Fen, most: Fen) -> Fen:
    """Return the reward for a case: each part of its value at its own rate, within least and most.

    Before: ``value`` is positive. 《四川省违法违规使用医疗保障基金举报奖励办法》 川医保发〔2022〕7号.
    """
    below, total = 0, 0
    for band in bands:
        top = value if band.up_to is None else min(value, band.up_to)
        if top > below:
            total += share(Fen(top - below), band.rate)
            below = top
    return Fen(max(least, min(most, total)))


def problem_of(said: LodgeReport, home: str) -> ReportProblem | None:
    """Return what is wrong with a report by itself. ``home``: the province's two digits."""
    short = (said.institution_code, said.target, said.staff_number, said.region, said.happened)
    facts = said.facts.strip()
    checks = (
        (said.institution_code.strip() or said.target.strip(), ReportProblem.TARGET),
        (len(facts) >= FACTS_MIN, ReportProblem.FACTS),
        (
            len(facts) <= FACTS_MAX and all(len(one) <= FIELD_MAX for one in short),
            ReportProblem.LENGTH,
        ),
        (
            said.institution_code.strip() or re.fullmatch(rf"{home}\d{{4}}", said.region),
            ReportProblem.REGION,
        ),
    )
    return next((problem for holds, problem in checks if not holds), None)


def extended_to(opened_on: date, times: int, first_months: int, last_months: int) -> date:
    """Return the last day of handling after it was extended once or twice."""
    return add_months(opened_on, first_months if times == 1 else last_months)


def is_account(holder: str, bank: str, number: str) -> bool:
    """Tell whether an account can be paid to."""
    named = all(0 < len(one.strip()) <= FIELD_MAX for one in (holder, bank))
    return named and _ACCOUNT.match(number.strip()) is not None


def says(words: str) -> bool:
    """Tell whether something is said."""
    return 0 < len(words.strip()) <= WORDS_MAX


OF_INSPECTOR = (
    ReportEvent.TRANSFER,
    ReportEvent.DECLINE,
    ReportEvent.OPEN,
    ReportEvent.EXTEND,
    ReportEvent.FIND,
    ReportEvent.SEND_BACK,
    ReportEvent.CONFIRM_TRUE,
    ReportEvent.CONFIRM_NOT_TRUE,
    ReportEvent.UPHOLD,
    ReportEvent.OVERTURN,
)
TELLS = (
    ReportEvent.DECLINE,
    ReportEvent.OPEN,
    ReportEvent.EXTEND,
    ReportEvent.CONFIRM_TRUE,
    ReportEvent.CONFIRM_NOT_TRUE,
    ReportEvent.UPHOLD,
    ReportEvent.OVERTURN,
    ReportEvent.TRANSFER,
)
"""What whoever reported is told of at once."""
