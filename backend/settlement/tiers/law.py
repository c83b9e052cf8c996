"""The law of one case: the book, read for its region, its day and its dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from backend.people.contracts import BenefitStatus, InsuranceType
from backend.regions.library import province_code
from backend.rulebook.contracts import Finding
from backend.rulebook.library import Rulebook
from backend.settlement.case import CareKind, Case, FilingKind

WORKER, RESIDENT = "worker", "resident"
LOCAL, PROVINCE, OUTSIDE = "LOCAL", "PROVINCE", "OUTSIDE"


class Law:
    """The rules for one case. ``dimensions`` are what tables may be split by.

    ``relation`` is ``LOCAL`` also where the insured area treats the place as its own; ``away`` tells
    whether the place lies in another area, however it is treated.
    """

    __slots__ = ("_rules", "away", "book", "day", "dimensions", "pool", "region", "scheme")

    def __init__(self, case: Case, book: Rulebook) -> None:
        self.book = book
        self.region = case.insured.area_code
        self._rules = book.rules_of(self.region)
        self.day = law_day(case, book)
        employee = case.insured.insurance_type is InsuranceType.EMPLOYEE
        self.scheme = WORKER if employee else RESIDENT
        self.pool = f"{case.care.value.lower()}_{self.scheme}"
        self.away = case.place.area_code != self.region
        self.dimensions = self._dimensions(case)

    def under(self, more: Mapping[str, str]) -> Law:
        """Return the same law with further dimensions, such as an identity."""
        narrowed = Law.__new__(Law)
        narrowed.book, narrowed.region, narrowed.day = self.book, self.region, self.day
        narrowed.scheme, narrowed.pool, narrowed.away = self.scheme, self.pool, self.away
        narrowed._rules = self._rules
        narrowed.dimensions = {**self.dimensions, **more}
        return narrowed

    def need(self, name: str) -> Finding:
        """Return a rule that must be there. Raises ``RuleMissing``."""
        parameter = self._rules.get(name)
        if parameter is not None:
            found = parameter.on_or_none(self.day, self.dimensions)
            if found is not None:
                return found
        return self.book.find(self.region, name, self.day, self.dimensions)  # names what is missing

    def has(self, name: str) -> bool:
        """Tell whether a rule of this name exists at all, whatever the case."""
        return name in self._rules

    def may(self, name: str) -> Finding | None:
        """Return a rule that a region has or has not."""
        parameter = self._rules.get(name)
        return None if parameter is None else parameter.on_or_none(self.day, self.dimensions)

    def _dimensions(self, case: Case) -> dict[str, str]:
        insured = case.insured
        status = insured.status.value
        if insured.benefits_paused and insured.status is BenefitStatus.ACTIVE:
            status = "PAUSED"
        return {
            "insurance": insured.insurance_type.value,
            "person": insured.person_kind.value,
            "tier": insured.tier,
            "account": insured.account_kind.value,
            "status": status,
            "care": case.care.value,
            "route": case.route.value,
            "place": case.place.key,
            "relation": self._relation(case),
            "filing": case.filing.value,
            "emergency": "YES" if case.filing is FilingKind.EMERGENCY else "NO",
            "disease": case.disease,
            "chosen": case.chosen.value if case.chosen else "",
            "package": case.package.code if case.package else "",
        }

    def _relation(self, case: Case) -> str:
        there = province_code(case.place.area_code)
        if not self.away:
            return LOCAL
        local = self.book.find_if_any(self.region, "cross_region.local_provinces", self.day)
        if local is not None and there in local.items:
            return LOCAL
        return PROVINCE if there == province_code(self.region) else OUTSIDE


def law_day(case: Case, book: Rulebook) -> date:
    """Return the day whose law decides: of a stay the one that ``stays.law_of`` names."""
    if case.care is not CareKind.INPATIENT or case.stay is None:
        return case.service_date
    stay = case.stay
    rule = book.find(case.insured.area_code, "stays.law_of", stay.discharged_on)
    return stay.admitted_on if rule.choice == "ADMISSION" else stay.discharged_on
