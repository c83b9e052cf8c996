"""Runs every golden case through the engine, to the fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.institutions.contracts import InstitutionKind
from backend.kernel.money import (
    QUANTITY_SCALE,
    Fen,
    Quantity,
    parse_unit_price,
    parse_yuan,
    yuan_text,
)
from backend.people.contracts import AccountKind, BenefitStatus, InsuranceType, PersonKind
from backend.rulebook.library import Rulebook, rulebook
from backend.settlement.calculate import calculate
from backend.settlement.contracts import Case, Insured, LineInput, Outcome, Place, Used

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.rglob("*.yaml"))
DAY = date(2023, 6, 15)
TOPIC = ("510100", "outpatient_worker")


def test_there_are_cases() -> None:
    ids = {yaml.safe_load(path.read_text(encoding="utf-8"))["id"] for path in FILES}
    assert {"P01", "P04", "P07-P09", "P12", "P13", "P14-active", "P14-retired", "P16"} <= ids
    assert len(ids) == len(FILES) == 15


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    book = _book(case.get("law"))
    used, balance = Used(Fen(0), Fen(0)), parse_yuan(case.get("account", "0"))
    for visit in case["visits"]:
        outcome = calculate(_facts(case, visit, used, balance), book)
        used = Used(
            Fen(used.deductible_fen + outcome.counted_deductible_fen),
            Fen(used.fund_fen + outcome.counted_fund_fen),
        )
        balance = outcome.account_balance_after_fen
        shown = _shown(outcome, used)
        assert visit["expect"] == {name: shown[name] for name in visit["expect"]}
        for name, wrong in visit.get("never", {}).items():
            assert shown[name] != wrong


def _facts(case: Any, visit: Any, used: Used, balance: Fen) -> Case:
    pharmacy = case["place"] == "PHARMACY"
    level = None if pharmacy else int(case["place"].removeprefix("LEVEL_"))
    kind = InstitutionKind.PHARMACY if pharmacy else InstitutionKind.HOSPITAL
    return Case(
        service_date=DAY,
        insured=Insured(
            "510100",
            InsuranceType.EMPLOYEE,
            PersonKind(case["person"]),
            AccountKind.COMBINED,
            BenefitStatus.ACTIVE,
        ),
        place=Place("510100", kind, level, pooling=True, campus=False),
        used=used,
        account_balance_fen=balance,
        use_account=True,
        lines=tuple(_line(number, line) for number, line in enumerate(visit["lines"], 1)),
    )


def _line(number: int, line: Any) -> LineInput:
    return LineInput(
        number=number,
        code=f"CASE-{number}",
        name=f"class {line['class']}",
        kind=ItemKind.DRUG,
        item_class=ItemClass(line["class"]),
        prepaid_share=line.get("prepaid", "0"),
        price_limit=None,
        terms_from=DAY,
        illustrative=False,
        quantity=Quantity(QUANTITY_SCALE),
        unit_price=parse_unit_price(line["amount"]),
    )


def _book(law: dict[str, str] | None) -> Rulebook:
    """Return Chengdu's book with the figures of the case's own city in place of Chengdu's."""
    book = rulebook()
    if law is None:
        return book
    values: dict[str, Any] = {
        "deductible": parse_yuan(law["deductible"]),
        "rate": Fraction(law["rate"]),
        "fund_limit": parse_yuan(law.get("fund_limit", "1000000")),
    }
    parameters = dict(book.parameters)
    for name, value in values.items():
        parameter = parameters[*TOPIC, name]
        dated = parameter.values[0]
        rows = tuple((when, value) for when, _ in dated.rows)
        parameters[*TOPIC, name] = replace(parameter, values=(replace(dated, rows=rows),))
    return Rulebook(parameters, "case")


def _shown(outcome: Outcome, used: Used) -> dict[str, str]:
    amounts = {
        "total": outcome.total_fen,
        "in_scope": outcome.in_scope_fen,
        "prepaid": outcome.prepaid_share_fen,
        "deductible": outcome.deductible_fen,
        "fund": outcome.fund_fen,
        "personal": Fen(outcome.total_fen - outcome.fund_fen),
        "account": outcome.account_fen,
        "cash": outcome.cash_fen,
        "account_after": outcome.account_balance_after_fen,
        "deductible_used": used.deductible_fen,
    }
    return {name: yuan_text(amount) for name, amount in amounts.items()}
