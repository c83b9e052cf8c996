"""门诊慢特病: which diseases, how they are found; and capitation of peritoneal dialysis by month and year.

The only text known is a municipal pilot's (84,600 yuan a person and year); no region has it unless a
pack of its topic ``capitation`` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from backend.entitlements.contracts import (
    EntitlementState,
    MonthClearing,
    SignedMonth,
    YearClearing,
)
from backend.kernel.money import ZERO, Fen, allocate, share
from backend.people.contracts import InsuranceType
from backend.rulebook.contracts import Finding
from backend.rulebook.library import Rulebook

MONTHS = 12


class QualityOutOfBounds(Exception):
    """A quality deduction is negative or above what the rule allows."""


@dataclass(frozen=True)
class ReviewRules:
    """How chronic diseases are found in an insured area on a day."""

    review_workdays: int
    appeal_workdays: int
    experts: int
    valid_months: int
    renew_ahead_days: int
    provisional: bool


def review_rules(region: str, day: date, book: Rulebook) -> ReviewRules:
    """Return how a chronic disease is found. Raises ``RuleMissing``."""

    def rule(name: str) -> Finding:
        return book.find(region, f"chronic_review.{name}", day)

    review, appeal, experts = rule("review_workdays"), rule("appeal_workdays"), rule("experts")
    months, ahead = rule("valid_months"), rule("renew_ahead_days")
    return ReviewRules(
        review.count,
        appeal.count,
        experts.count,
        months.count,
        ahead.count,
        any(one.ref.provisional for one in (review, appeal, experts, months, ahead)),
    )


def listed(region: str, insurance: InsuranceType, day: date, book: Rulebook) -> tuple[str, ...]:
    """Return the diseases that an insured area lists for an insurance. Raises ``RuleMissing``."""
    scheme = "worker" if insurance is InsuranceType.EMPLOYEE else "resident"
    return tuple(book.find(region, f"chronic_{scheme}.diseases", day).items)


def state_on(
    starts: date, ends: date | None, renew_ahead_days: int, today: date
) -> tuple[EntitlementState, date | None]:
    """Return where an entitlement stands on a day, and from when it may be renewed."""
    renew = None if ends is None else ends - timedelta(days=renew_ahead_days)
    if today < starts:
        return EntitlementState.TO_COME, renew
    if ends is not None and ends < today:
        return EntitlementState.ENDED, None
    due = renew is not None and renew <= today
    return (EntitlementState.REVIEW_DUE if due else EntitlementState.ACTIVE), renew


def effective_from(entered_on: date) -> date:
    """Return the first day of the month after an agreement was entered (PD-1)."""
    years, month = divmod(entered_on.month, MONTHS)
    return date(entered_on.year + years, month + 1, 1)


def month_amount(region: str, month: date, book: Rulebook) -> Fen:
    """Return a person's capitation for a month: the year's amount in twelve parts that sum to it.

    84,600.00 is 7,050.00 each month; where twelve does not divide a year's amount, the first months
    carry the odd fen (PD-2). Raises ``RuleMissing``.
    """
    year = book.find(region, "capitation.year_amount", month).fen
    return allocate(year, [1] * MONTHS)[month.month - 1]


def clear_month(
    region: str, month: date, persons: Sequence[SignedMonth], book: Rulebook
) -> MonthClearing:
    """Return what the fund owes a pilot hospital for a month, given by its first day.

    A person in hospital or with a suspended agreement in that month brings no capitation, as
    ``capitation.months_out`` says (PD-4); what such a person paid and what the fund booked for them is
    settled as usual and stays outside. The fund pays the capitation less the patients' shares, person
    by person never less than nothing (PD-3, PD-9), less what referrals cost elsewhere (PD-5). Raises
    ``RuleMissing``.
    """
    rule = book.find(region, "capitation.months_out", month)
    out = [p for p in persons if _is_out(p, rule.items)]
    counted = [p for p in persons if not _is_out(p, rule.items)]
    each = month_amount(region, month, book)
    owed = Fen(sum(max(0, each - p.patient_fen) for p in counted))
    referred = Fen(sum(p.referred_fen for p in persons))
    booked = Fen(sum(p.booked_fen for p in counted))
    due = Fen(max(0, owed - referred))
    return MonthClearing(
        headcount=len(counted),
        left_out=len(out),
        capitation_fen=Fen(each * len(counted)),
        patient_fen=Fen(sum(p.patient_fen for p in counted)),
        referred_fen=referred,
        due_fen=due,
        booked_fen=booked,
        to_post_fen=Fen(due - booked),
    )


def clear_year(
    region: str,
    year: int,
    months: Sequence[MonthClearing],
    cost: Fen,
    missed_quality: Fraction,
    book: Rulebook,
) -> YearClearing:
    """Return what a year came to: surplus kept, overspend not made good, quality deducted (PD-6).

    ``cost`` is what the signed persons' care cost the hospital in the counted months, ``missed_quality``
    the share of the due that missed targets cost it. Raises ``QualityOutOfBounds`` where that share is
    beyond ``capitation.quality_deduction_max``, and ``RuleMissing``.
    """
    most = book.find(region, "capitation.quality_deduction_max", date(year, 12, 31)).rate
    if not 0 <= missed_quality <= most:
        raise QualityOutOfBounds(f"a deduction of {missed_quality} is not between 0 and {most}")
    due = Fen(sum(month.due_fen for month in months))
    patients = Fen(sum(month.patient_fen for month in months))
    deduction = share(due, missed_quality)
    income = Fen(due - deduction + patients)
    return YearClearing(
        capitation_fen=Fen(sum(month.capitation_fen for month in months)),
        cost_fen=cost,
        due_fen=due,
        deduction_fen=deduction,
        final_fen=Fen(due - deduction),
        surplus_fen=Fen(max(0, income - cost)),
        overspend_fen=Fen(max(0, cost - income)) if cost > income else ZERO,
    )


def _is_out(person: SignedMonth, out: Sequence[str]) -> bool:
    hospital = person.in_hospital and "IN_HOSPITAL" in out
    return hospital or (person.suspended and "SUSPENDED" in out)
