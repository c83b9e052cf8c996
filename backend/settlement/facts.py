"""Gathers the case of a bill: the facts of this person, place and day, as they stand now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from backend.infra.database import Unit
from backend.institutions.contracts import Ability, InstitutionView
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.people.contracts import EnrolmentView
from backend.settlement import queries
from backend.settlement.contracts import Case, Insured, LineInput, Place


def gather_case(
    unit: Unit,
    enrolment: EnrolmentView,
    institution: InstitutionView,
    service_date: date,
    use_account: bool,
    lines: Sequence[LineInput],
    lock: bool = False,
) -> Case:
    """Return the case. With ``lock`` the year's use and the account stay put until the commit."""
    balance = ledger.balance(unit, accounts.personal(enrolment.id), lock=lock)
    return Case(
        service_date=service_date,
        insured=Insured(
            area_code=enrolment.area_code,
            insurance_type=enrolment.insurance_type,
            person_kind=enrolment.person_kind,
            account_kind=enrolment.account_kind,
            status=enrolment.status,
        ),
        place=place_of(institution),
        used=queries.used(unit, enrolment.id, service_date.year, lock=lock),
        account_balance_fen=balance or Fen(0),
        use_account=use_account,
        lines=tuple(lines),
    )


def place_of(institution: InstitutionView) -> Place:
    """Return the institution as the law sees it."""
    return Place(
        area_code=institution.area_code,
        kind=institution.kind,
        level=institution.level,
        pooling=Ability.OUTPATIENT_POOLING in institution.abilities,
        campus=Ability.CAMPUS in institution.abilities,
    )
