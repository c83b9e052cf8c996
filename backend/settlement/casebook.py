"""Cases that a health bureau writes in YAML: a person, bills in a row, and what should come out.

The form is described in ``tests/cases/README.md``. Amounts are yuan in quotes; every key but ``lines``
or ``scope`` may stand once for the whole case or be changed by a bill. What a bill uses up of the
year and of the account is carried to the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from backend.catalogue.contracts import ItemClass, ItemKind
from backend.institutions.contracts import InstitutionKind
from backend.kernel.errors import OperatorError
from backend.kernel.money import (
    QUANTITY_SCALE,
    ZERO,
    Fen,
    Quantity,
    UnitPrice,
    parse_quantity,
    parse_unit_price,
    parse_yuan,
    yuan_text,
)
from backend.people.contracts import AccountKind, BenefitStatus, InsuranceType, PersonKind
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import Rulebook
from backend.rulebook.packs import read_yaml
from backend.settlement.calculate import calculate
from backend.settlement.case import (
    CapitatedCare,
    CareKind,
    Case,
    CaseContradicts,
    Chosen,
    FilingKind,
    HeldProduct,
    Insured,
    LineInput,
    PackageUse,
    Place,
    ReferredFrom,
    Route,
    Stay,
)
from backend.settlement.contracts import Outcome
from backend.settlement.stays import year_of

_CASE_WORDS = """
id title basis source note region on person care place place_area pooling filing
route disease account family_account use_account used given stay referred_from
package capitated chosen bills lines scope expect never refused
"""
_KEYS = frozenset(_CASE_WORDS.split())
_PERSON_WORDS = """
insurance kind tier age account status identities civil_servant products
benefits_paused
"""
_PERSON_KEYS = frozenset(_PERSON_WORDS.split())


class CaseInvalid(OperatorError):
    """A case file cannot be read as a case; the message names the file and the place."""


@dataclass(frozen=True)
class Settled:
    """A bill of a case as it came out: an outcome, or why there is none, and what was expected."""

    case: Case
    outcome: Outcome | None
    refusal: str
    shown: Mapping[str, str]
    expected: Mapping[str, str]
    never: Mapping[str, str]
    refused: str

    def differences(self) -> list[str]:
        """Return where the bill differs from what was expected, to the fen."""
        if self.refused:
            fits = self.refused in self.refusal
            return [] if fits else [f"refusal: wanted {self.refused}, got {self.refusal or 'none'}"]
        if self.refusal:
            return [f"refused: {self.refusal}"]
        wrong = []
        for name, wanted in self.expected.items():
            got = self.shown.get(name, "0.00")
            if got != wanted:
                wrong.append(f"{name}: wanted {wanted}, got {got}{_gap(got, wanted)}")
        for name, forbidden in self.never.items():
            if self.shown.get(name) == forbidden:
                wrong.append(f"{name}: came out as {forbidden}, which it must never")
        return wrong


def read_cases(*places: Path) -> list[Any]:
    """Return the cases of files and folders. Raises ``CaseInvalid``."""
    found = []
    for place in places:
        for path in sorted(place.rglob("*.yaml")) if place.is_dir() else [place]:
            if not path.exists():
                raise CaseInvalid(f"there is no {path}")
            document = read_yaml(path)
            for case in document if isinstance(document, list) else [document]:
                if not isinstance(case, dict) or "id" not in case:
                    raise CaseInvalid(f"{path.name}: a case is a mapping with an id")
                found.append(case)
    return found


def settle_case(document: Any, book: Rulebook) -> list[Settled]:
    """Settle the bills of a case one after another. Raises ``CaseInvalid``."""
    used: dict[int, dict[str, int]] = {}
    try:
        balance = parse_yuan(str(document.get("account", "0")))
        family = parse_yuan(str(document.get("family_account", "0")))
        bills = document.get("bills") or [document]
        settled = []
        for bill in bills:
            merged = {**document, **bill}
            unknown = set(merged) - _KEYS
            if unknown:
                raise CaseInvalid(f"{document['id']}: unknown {', '.join(sorted(unknown))}")
            one = _settle(merged, book, used, balance, family)
            settled.append(one)
            if one.outcome is not None:
                balance = one.outcome.account_balance_after_fen
                family = one.outcome.family_balance_after_fen
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CaseInvalid(f"{document['id']}: {error!r}") from error
    return settled


def _settle(
    bill: Any, book: Rulebook, used: dict[int, dict[str, int]], balance: Fen, family: Fen
) -> Settled:
    case, outcome, refusal = None, None, ""
    try:
        case = case_of(bill, book, used, balance, family)
        outcome = calculate(case, book)
    except (RuleMissing, CaseContradicts) as error:
        refusal = f"{type(error).__name__}: {error}"
    if outcome is not None:
        counters = used.setdefault(outcome.accumulator_year, {})
        for name, amount in outcome.counts.items():
            counters[name] = counters.get(name, 0) + amount
    return Settled(
        case=case,  # type: ignore[arg-type] # None only where the facts themselves were refused
        outcome=outcome,
        refusal=refusal,
        shown=amounts_of(outcome, used) if outcome else {},
        expected={name: str(value) for name, value in bill.get("expect", {}).items()},
        never={name: str(value) for name, value in bill.get("never", {}).items()},
        refused=str(bill.get("refused", "")),
    )


def amounts_of(outcome: Outcome, used: Mapping[int, Mapping[str, int]]) -> dict[str, str]:
    """Return the amounts of an outcome by the names that cases use; payers by their topic."""
    o = outcome
    amounts: dict[str, int] = {
        "total": o.total_fen,
        "full_self_pay": o.full_self_pay_fen,
        "over_limit": o.over_limit_fen,
        "prepaid_share": o.prepaid_share_fen,
        "in_scope": o.in_scope_fen,
        "deductible": o.deductible_fen,
        "basic": o.pool_fen,
        "fund": o.fund_fen,
        "hospital": o.hospital_fen,
        "personal": o.total_fen - o.fund_fen - o.hospital_fen,
        "account": o.account_fen,
        "family": o.family_fen,
        "cash": o.cash_fen,
        "account_after": o.account_balance_after_fen,
        "family_after": o.family_balance_after_fen,
        "hospital_due": o.hospital_due_fen or 0,
    }
    for share in o.shares:
        if share.topic:
            amounts[share.topic] = amounts.get(share.topic, 0) + share.amount_fen
    for part in o.parts:
        name = f"part.{part.kind.value}"
        amounts[name] = amounts.get(name, 0) + part.amount_fen
    texts = {name: yuan_text(Fen(amount)) for name, amount in amounts.items()}
    for name, counted in used.get(o.accumulator_year, {}).items():
        plain = name.endswith("stays")
        texts[f"used.{name}"] = str(counted) if plain else yuan_text(Fen(counted))
    return texts | {"year": str(o.accumulator_year)}


def case_of(
    bill: Any,
    book: Rulebook,
    used: Mapping[int, Mapping[str, int]] | None = None,
    balance: Fen = ZERO,
    family: Fen = ZERO,
) -> Case:
    """Return the facts of a bill of a case. Raises ``RuleMissing`` where a year cannot be told."""
    region, on = str(bill["region"]), _day(bill.get("on", "2023-06-15"))
    care = CareKind(bill.get("care", "OUTPATIENT"))
    stay = _stay(bill, on) if care is CareKind.INPATIENT else None
    service_date = stay.discharged_on if stay else on
    year = year_of(region, stay, book) if stay else service_date.year
    written = {name: _whole(value) for name, value in bill.get("used", {}).items()}
    package = bill.get("package")
    capitated = bill.get("capitated")
    return Case(
        care=care,
        service_date=service_date,
        year=year,
        insured=_insured(region, bill.get("person", {})),
        place=_place(region, bill),
        lines=_lines(bill, service_date),
        used={**written, **(used or {}).get(year, {})},
        route=Route(bill.get("route", "DIRECT")),
        filing=FilingKind(bill.get("filing", "NONE")),
        disease=str(bill.get("disease", "")),
        stay=stay,
        package=PackageUse(str(package["code"]), int(package.get("days", 0))) if package else None,
        capitated=CapitatedCare(capitated) if capitated else None,
        chosen=Chosen(bill["chosen"]) if "chosen" in bill else None,
        given={name: parse_yuan(str(text)) for name, text in bill.get("given", {}).items()},
        account_balance_fen=balance,
        family_balance_fen=family,
        use_account=bool(bill.get("use_account", True)),
    )


def _insured(region: str, person: Any) -> Insured:
    unknown = set(person) - _PERSON_KEYS
    if unknown:
        raise CaseInvalid(f"unknown in person: {', '.join(sorted(unknown))}")
    insurance = InsuranceType(person.get("insurance", "EMPLOYEE"))
    employee = insurance is InsuranceType.EMPLOYEE
    return Insured(
        area_code=region,
        insurance_type=insurance,
        person_kind=PersonKind(person.get("kind", "ACTIVE" if employee else "RESIDENT_ADULT")),
        account_kind=AccountKind(person.get("account", "COMBINED" if employee else "NONE")),
        status=BenefitStatus(person.get("status", "ACTIVE")),
        tier=str(person.get("tier", "")),
        age=int(person.get("age", 40)),
        civil_servant=bool(person.get("civil_servant", False)),
        identities=tuple(person.get("identities", ())),
        products=tuple(
            HeldProduct(code, how == "CONTINUOUS")
            for code, how in person.get("products", {}).items()
        ),
        benefits_paused=bool(person.get("benefits_paused", False)),
    )


def _place(region: str, bill: Any) -> Place:
    key = str(bill.get("place", "LEVEL_3"))
    pharmacy, campus = key == "PHARMACY", key == "CAMPUS"
    level = None if pharmacy else 0 if campus else int(key.removeprefix("LEVEL_"))
    kind = InstitutionKind.PHARMACY if pharmacy else InstitutionKind.HOSPITAL
    area = str(bill.get("place_area", region))
    return Place(area, kind, level, bool(bill.get("pooling", True)), campus)


def _stay(bill: Any, on: date) -> Stay:
    raw = bill.get("stay", {})
    origin = bill.get("referred_from")
    return Stay(
        admitted_on=_day(raw.get("admitted", on)),
        discharged_on=_day(raw.get("discharged", on)),
        deductible_due_fen=parse_yuan(str(raw["deductible_due"]))
        if "deductible_due" in raw
        else None,
        deductible_paid_fen=parse_yuan(str(raw.get("deductible_paid", "0"))),
        counted=bool(raw.get("counted", False)),
        referred_from=ReferredFrom(
            str(origin["place"]),
            int(origin.get("stays_before", 0)),
            parse_yuan(str(origin["deductible"])),
        )
        if origin
        else None,
    )


def _lines(bill: Any, day: date) -> tuple[LineInput, ...]:
    raw = list(bill.get("lines", ()))
    for name, amount in bill.get("scope", {}).items():
        raw.append({"amount": amount, **_SCOPE[name]})
    return tuple(_line(number, line, day) for number, line in enumerate(raw, 1))


_SCOPE: dict[str, dict[str, str]] = {
    "in_scope": {"class": "A"},
    "full_self_pay": {"class": "C"},
    "prepaid_share": {"class": "B", "prepaid": "1"},
    "over_limit": {"class": "A", "limit": "0"},
}


def _line(number: int, line: Any, day: date) -> LineInput:
    quantity = parse_quantity(str(line.get("quantity", "1")))
    return LineInput(
        number=number,
        code=str(line.get("code", f"CASE-{number}")),
        name=str(line.get("name", f"class {line['class']}")),
        kind=ItemKind(line.get("kind", "DRUG")),
        item_class=ItemClass(line["class"]),
        prepaid_share=str(line.get("prepaid", "0")),
        price_limit=_price(line.get("limit")),
        terms_from=day,
        illustrative=False,
        quantity=Quantity(quantity or QUANTITY_SCALE),
        unit_price=parse_unit_price(str(line["amount"])),
        home_price=_price(line.get("home_price")),
        restriction_met=line.get("restriction_met"),
        served_on=_day(line["on"]) if "on" in line else None,
    )


def _price(text: Any) -> UnitPrice | None:
    return None if text is None else parse_unit_price(str(text))


def _day(raw: Any) -> date:
    return raw if isinstance(raw, date) else date.fromisoformat(str(raw))


def _whole(raw: Any) -> int:
    """Return what a counter holds: a plain number counts times, a text in quotes is yuan."""
    return raw if isinstance(raw, int) else parse_yuan(str(raw))


def _gap(got: str, wanted: str) -> str:
    try:
        gap = parse_yuan(got) - parse_yuan(wanted)
    except ValueError:
        return ""
    return f" ({'+' if gap > 0 else ''}{yuan_text(Fen(gap))})"


def differences(settled: Sequence[Settled]) -> list[str]:
    """Return every difference of a case, each with the number of its bill."""
    return [
        f"bill {number}: {difference}"
        for number, one in enumerate(settled, 1)
        for difference in one.differences()
    ]
