"""Puts money into personal accounts: what the law credits monthly, and what the authority reports."""

from __future__ import annotations

from datetime import date

from backend.infra.database import Unit
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import service as ledger
from backend.ledger.contracts import EntryKind, Posting
from backend.people.contracts import EnrolmentView
from backend.rulebook.library import rulebook
from backend.settlement.tiers.account import monthly_credit


def open_account(unit: Unit, enrolment_id: str) -> None:
    """Open the personal account of an enrolment that comes with one."""
    ledger.open_guarded(unit, accounts.personal(enrolment_id))


def credit_month(unit: Unit, enrolment: EnrolmentView, first_day: date) -> str:
    """Credit an active worker's account for a month by the rule of its first day."""
    amount = monthly_credit(
        enrolment.area_code,
        enrolment.person_kind,
        enrolment.contribution_base_fen,
        first_day,
        rulebook(),
    )
    return credit_reported(unit, enrolment, amount, f"{first_day:%Y-%m} 个人账户划入")


def credit_reported(unit: Unit, enrolment: EnrolmentView, amount: Fen, memo: str) -> str:
    """Credit an amount that the authority reports, for whoever's credit is not reckoned here."""
    postings = [
        Posting(accounts.contributions(enrolment.area_code), Fen(-amount)),
        Posting(accounts.personal(enrolment.id), amount),
    ]
    return ledger.post(unit, EntryKind.CONTRIBUTION, enrolment.id, memo, postings)
