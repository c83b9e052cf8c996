"""For any basket, person, place and past: nothing is created, lost, or paid twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.institutions.contracts import InstitutionKind
from backend.kernel.money import Fen, Quantity, UnitPrice, allocate, line_amount
from backend.people.contracts import AccountKind, BenefitStatus, InsuranceType, PersonKind
from backend.rulebook.library import rulebook
from backend.settlement.calculate import calculate, check_identities
from backend.settlement.contracts import Case, Insured, LineInput, Place, Used

BOOK = rulebook()
DAYS = st.dates(date(2025, 1, 1), date(2030, 12, 31))


@st.composite
def lines(draw: st.DrawFn) -> tuple[LineInput, ...]:
    made = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        item_class = draw(st.sampled_from(ItemClass))
        made.append(
            LineInput(
                number=number,
                code=f"P-{number}",
                name="item",
                kind=ItemKind.DRUG,
                item_class=item_class,
                prepaid_share=draw(st.sampled_from(["0", "0.04", "0.10", "0.333", "0.2"]))
                if item_class is ItemClass.B
                else "0",
                price_limit=UnitPrice(draw(st.integers(1, 500_000_000)))
                if draw(st.booleans())
                else None,
                terms_from=date(2023, 1, 1),
                illustrative=False,
                quantity=Quantity(draw(st.integers(1, 2_000_000))),
                unit_price=UnitPrice(draw(st.integers(1, 2_000_000_000))),
            )
        )
    return tuple(made)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    employee = draw(st.booleans())
    kinds = (
        [PersonKind.ACTIVE, PersonKind.RETIRED]
        if employee
        else [PersonKind.RESIDENT_ADULT, PersonKind.STUDENT_OR_CHILD, PersonKind.UNIVERSITY_STUDENT]
    )
    accounts = [AccountKind.COMBINED, AccountKind.POOL_ONLY] if employee else [AccountKind.NONE]
    pharmacy = draw(st.booleans())
    return Case(
        service_date=draw(DAYS),
        insured=Insured(
            "510100",
            InsuranceType.EMPLOYEE if employee else InsuranceType.RESIDENT,
            draw(st.sampled_from(kinds)),
            draw(st.sampled_from(accounts)),
            draw(st.sampled_from(BenefitStatus)),
        ),
        place=Place(
            "510100",
            InstitutionKind.PHARMACY if pharmacy else InstitutionKind.HOSPITAL,
            None if pharmacy else draw(st.integers(0, 3)),
            draw(st.booleans()),
            not pharmacy and draw(st.booleans()),
        ),
        used=Used(Fen(draw(st.integers(0, 30_000))), Fen(draw(st.integers(0, 300_000)))),
        account_balance_fen=Fen(draw(st.integers(0, 1_000_000))),
        use_account=draw(st.booleans()),
        lines=draw(lines()),
    )


@settings(max_examples=400, deadline=None)
@given(cases())
def test_the_identities_hold(case: Case) -> None:
    outcome = calculate(case, BOOK)
    check_identities(outcome)
    assert outcome.total_fen == sum(line_amount(x.unit_price, x.quantity) for x in case.lines)
    assert outcome.fund_fen + outcome.account_fen + outcome.cash_fen == outcome.total_fen
    assert outcome.account_balance_after_fen == case.account_balance_fen - outcome.account_fen
    if outcome.fund_limit_fen is not None:
        assert case.used.fund_fen + outcome.fund_fen <= max(
            outcome.fund_limit_fen, case.used.fund_fen
        )


@settings(max_examples=200, deadline=None)
@given(cases())
def test_the_same_case_gives_the_same_outcome(case: Case) -> None:
    assert calculate(case, BOOK) == calculate(case, BOOK)


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 100_000))
def test_a_fuller_account_never_costs_the_fund(case: Case, more: int) -> None:
    richer = replace(case, account_balance_fen=Fen(case.account_balance_fen + more))
    poor, rich = calculate(case, BOOK), calculate(richer, BOOK)
    assert poor.fund_fen == rich.fund_fen
    assert rich.cash_fen <= poor.cash_fen


@settings(max_examples=200, deadline=None)
@given(cases())
def test_splitting_a_bill_pays_the_same_within_a_fen_a_part(case: Case) -> None:
    """Two bills of the same lines cost the fund what one does, but for one rounding each."""
    whole = calculate(case, BOOK)
    used, fund, deductible = case.used, 0, 0
    for line in case.lines:
        part = calculate(replace(case, lines=(line,), used=used), BOOK)
        used = Used(
            Fen(used.deductible_fen + part.counted_deductible_fen),
            Fen(used.fund_fen + part.counted_fund_fen),
        )
        fund, deductible = fund + part.fund_fen, deductible + part.deductible_fen
    assert deductible == whole.deductible_fen
    assert abs(fund - whole.fund_fen) <= len(case.lines)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_what_is_split_sums_to_what_there_was(total: int, weights: list[int]) -> None:
    if sum(weights) == 0:
        total = 0
    parts = allocate(Fen(total), weights)
    assert sum(parts) == total
    assert min(parts) >= 0
    if sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - total * weight / sum(weights)) < 1.01
