"""For any basket, person, place and past: nothing is created, lost, or paid twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.institutions.contracts import InstitutionKind
from backend.kernel.money import Fen, Quantity, UnitPrice, allocate, line_amount
from backend.people.contracts import AccountKind, BenefitStatus, InsuranceType, PersonKind
from backend.rulebook.library import rulebook
from backend.settlement.calculate import calculate, check_identities
from backend.settlement.case import (
    CareKind,
    Case,
    FilingKind,
    HeldProduct,
    Insured,
    LineInput,
    Place,
    ReferredFrom,
    Stay,
)
from backend.settlement.contracts import Outcome
from backend.settlement.logic import add
from backend.settlement.queries import CASE, OUTCOME, case_of, outcome_of

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


PLACES = ("510100", "510700", "500000", "110000")
IDENTITIES = ("EXTREME_POVERTY", "MINIMUM_LIVING", "MINIMUM_LIVING_EDGE", "ILLNESS_POVERTY")


@st.composite
def insured(draw: st.DrawFn) -> Insured:
    employee = draw(st.booleans())
    kinds = (
        [PersonKind.ACTIVE, PersonKind.RETIRED]
        if employee
        else [PersonKind.RESIDENT_ADULT, PersonKind.STUDENT_OR_CHILD, PersonKind.UNIVERSITY_STUDENT]
    )
    accounts = [AccountKind.COMBINED, AccountKind.POOL_ONLY] if employee else [AccountKind.NONE]
    kind = draw(st.sampled_from(kinds))
    adult = kind is PersonKind.RESIDENT_ADULT
    products = draw(st.lists(st.sampled_from(["CD-BDHZ", "CD-HRB"]), unique=True))
    return Insured(
        "510100",
        InsuranceType.EMPLOYEE if employee else InsuranceType.RESIDENT,
        kind,
        draw(st.sampled_from(accounts)),
        draw(st.sampled_from([*[BenefitStatus.ACTIVE] * 4, *BenefitStatus])),
        tier="" if employee else draw(st.sampled_from(["HIGH", "LOW"])) if adult else "STUDENT",
        age=draw(st.integers(0, 110)),
        civil_servant=draw(st.booleans()),
        identities=tuple(draw(st.lists(st.sampled_from(IDENTITIES), unique=True, max_size=3))),
        products=tuple(HeldProduct(code, draw(st.booleans())) for code in products),
        benefits_paused=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def stays(draw: st.DrawFn, day: date) -> Stay:
    admitted = day - timedelta(days=draw(st.integers(0, 90)))
    origin = ReferredFrom("LEVEL_2", draw(st.integers(0, 3)), Fen(draw(st.integers(0, 40_000))))
    return Stay(admitted, day, referred_from=draw(st.sampled_from([None, None, origin])))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any bill of somebody insured in Chengdu: every kind of care, place, filing, past and payer."""
    person, day = draw(insured()), draw(DAYS)
    care = draw(st.sampled_from([CareKind.OUTPATIENT, CareKind.CHRONIC, CareKind.INPATIENT]))
    inpatient = care is CareKind.INPATIENT
    pharmacy = not inpatient and draw(st.booleans())
    scheme = "worker" if person.insurance_type is InsuranceType.EMPLOYEE else "resident"
    pool, amounts = f"{care.value.lower()}_{scheme}", st.integers(0, 5_000_000)
    used = {
        f"{pool}.deductible": draw(st.integers(0, 160_000)),
        f"{pool}.fund": draw(st.integers(0, 300_000)),
        f"{pool}.stays": draw(st.integers(0, 9)),
        f"basic_{scheme}.fund": draw(amounts),
        "critical_illness.base": draw(amounts),
        "medical_aid.base": draw(amounts),
        "medical_aid.paid": draw(st.integers(0, 5_000_000)),
        "commercial_hrb.first.base": draw(amounts),
    }
    return Case(
        care=care,
        service_date=day,
        year=day.year,
        insured=person,
        place=Place(
            draw(st.sampled_from(PLACES)),
            InstitutionKind.PHARMACY if pharmacy else InstitutionKind.HOSPITAL,
            None if pharmacy else draw(st.integers(0, 3)),
            draw(st.booleans()),
            not pharmacy and not inpatient and draw(st.booleans()),
        ),
        lines=draw(lines()),
        used=used,
        filing=draw(st.sampled_from(FilingKind)),
        disease=draw(st.sampled_from(["", "RENAL_DIALYSIS", "HYPERTENSION", "PSYCHOSIS"])),
        stay=draw(stays(day)) if inpatient else None,
        account_balance_fen=Fen(draw(st.integers(0, 1_000_000))),
        family_balance_fen=Fen(draw(st.sampled_from([0, 0, 50_000]))),
        use_account=draw(st.booleans()),
    )


@settings(max_examples=600, deadline=None)
@given(cases())
def test_the_identities_hold(case: Case) -> None:
    outcome = calculate(case, BOOK)
    check_identities(outcome)
    assert outcome.total_fen == sum(line_amount(x.unit_price, x.quantity) for x in case.lines)
    patient = outcome.account_fen + outcome.family_fen + outcome.cash_fen
    assert outcome.fund_fen + outcome.hospital_fen + patient == outcome.total_fen
    assert outcome.account_balance_after_fen == case.account_balance_fen - outcome.account_fen
    if outcome.fund_limit_fen is not None and outcome.fund_left_fen is not None:
        assert 0 <= outcome.fund_left_fen <= outcome.fund_limit_fen
    assert all(amount > 0 for amount in outcome.counts.values())


@settings(max_examples=200, deadline=None)
@given(cases())
def test_the_same_case_gives_the_same_outcome(case: Case) -> None:
    assert calculate(case, BOOK) == calculate(case, BOOK)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_what_is_stored_comes_back_as_it_was(case: Case) -> None:
    """Through JSON and back, facts and outcome are equal, so a replay compares like with like."""
    outcome = calculate(case, BOOK)
    assert case_of(CASE.dump_python(case, mode="json")) == case
    assert outcome_of(OUTCOME.dump_python(outcome, mode="json")) == outcome


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 100_000))
def test_a_fuller_account_never_costs_the_fund(case: Case, more: int) -> None:
    richer = replace(case, account_balance_fen=Fen(case.account_balance_fen + more))
    poor, rich = calculate(case, BOOK), calculate(richer, BOOK)
    assert poor.fund_fen == rich.fund_fen
    assert rich.cash_fen <= poor.cash_fen


@settings(max_examples=400, deadline=None)
@given(cases(), lines())
def test_a_higher_bill_never_gives_a_lower_fund_payment(
    case: Case, more: tuple[LineInput, ...]
) -> None:
    """With further lines on it, a bill costs the funds at least as much, but for one fen a payer.

    The fen: each payer's amount is rounded once, so a payer may round down where the one before it
    rounded up.
    """
    added = tuple(replace(x, number=x.number + 100, code=f"M-{x.number}") for x in more)
    less, whole = calculate(case, BOOK), calculate(replace(case, lines=case.lines + added), BOOK)
    assert whole.fund_fen >= less.fund_fen - len(whole.shares)
    assert whole.pool_fen >= less.pool_fen


@settings(max_examples=200, deadline=None)
@given(cases())
def test_splitting_an_outpatient_bill_pays_the_same_within_a_fen_a_part(case: Case) -> None:
    """Two bills of the same lines cost the fund what one does, but for one rounding each."""
    if case.care is not CareKind.OUTPATIENT:
        return
    whole = calculate(case, BOOK)
    used, fund, deductible = dict(case.used), 0, 0
    for line in case.lines:
        part = calculate(replace(case, lines=(line,), used=used), BOOK)
        used = add(used, part.counts)
        fund, deductible = fund + part.fund_fen, deductible + part.deductible_fen
    assert deductible == whole.deductible_fen
    assert abs(fund - whole.fund_fen) <= len(case.lines)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=8))
def test_critical_illness_pays_a_year_the_same_however_it_is_split(burdens: list[int]) -> None:
    """``f(cum) - f(cum before)`` telescopes: the sum over the bills is f of the year, to the fen."""
    person = Insured(
        "510100",
        InsuranceType.RESIDENT,
        PersonKind.RESIDENT_ADULT,
        AccountKind.NONE,
        BenefitStatus.ACTIVE,
        tier="HIGH",
    )
    day = date(2023, 6, 1)
    place = Place("510100", InstitutionKind.HOSPITAL, 3, pooling=True, campus=False)

    # the cap of basic insurance is used up, so the whole cost is the burden
    def pay(amount: int, used: dict[str, int]) -> Outcome:
        item = replace(EXAMPLE, unit_price=UnitPrice(amount * 10_000))
        stay = Stay(day, day)
        case = Case(
            CareKind.INPATIENT,
            day,
            2023,
            person,
            place,
            (item,),
            {**used, "basic_resident.fund": 10**12},
            stay=stay,
        )
        return calculate(case, BOOK)

    used: dict[str, int] = {}
    paid = 0
    for burden in burdens:
        if burden:
            outcome = pay(burden, used)
            used = add(used, outcome.counts)
            paid += sum(s.amount_fen for s in outcome.shares if s.topic == "critical_illness")
    if sum(burdens):
        whole = pay(sum(burdens), {})
        assert paid == sum(s.amount_fen for s in whole.shares if s.topic == "critical_illness")


EXAMPLE = LineInput(
    number=1,
    code="X",
    name="item",
    kind=ItemKind.DRUG,
    item_class=ItemClass.A,
    prepaid_share="0",
    price_limit=None,
    terms_from=date(2023, 1, 1),
    illustrative=False,
    quantity=Quantity(10_000),
    unit_price=UnitPrice(1_000_000),
)


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
