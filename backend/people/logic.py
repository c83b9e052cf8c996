"""Pure decisions about documents and enrolments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from backend.people.contracts import BenefitStatus, EnrolmentView, InsuranceType, PeriodView
from backend.people.document_contracts import DocumentInput, DocumentKind
from backend.rulebook.contracts import Finding
from backend.rulebook.library import Rulebook

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_FORMS = {
    DocumentKind.PERMANENT_RESIDENCE: r"[A-Z]{3}[0-9]{12}",
    DocumentKind.HK_MACAO_PERMIT: r"[HM](?:[0-9]{8}|[0-9]{10})",
    DocumentKind.TAIWAN_PERMIT: r"[0-9]{8}(?:[0-9]{2})?",
    DocumentKind.PASSPORT: r"[A-Z0-9]{5,17}",
    DocumentKind.BIRTH_CERTIFICATE: r"[A-Z][0-9]{9}",
}
"""What a number must look like to be worth storing; only its issuer knows whether it is real."""
_STATUS_ORDER = [
    BenefitStatus.ACTIVE,
    BenefitStatus.WAITING,
    BenefitStatus.SUSPENDED,
    BenefitStatus.ENDED,
]


def check_digit(first_17: str) -> str:
    """Return the check digit of an ID number (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK[total % 11]


def birth_date_of(id_number: str) -> date | None:
    """Return the birth date in a well-formed ID number, ``None`` for a malformed one.

    The first six digits are not compared with a table: abolished, new and special codes (81, 82, 83
    for residence permits) belong to real people.
    """
    if len(id_number) != 18 or not (id_number[:17].isascii() and id_number[:17].isdigit()):
        return None
    if check_digit(id_number[:17]) != id_number[17].upper():
        return None
    try:
        return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        return None


def sex_of(id_number: str) -> str:
    """Return the sex in a well-formed ID number: 1 male, 2 female (GB/T 2261.1)."""
    return "1" if int(id_number[16]) % 2 else "2"


def kind_of_id_number(id_number: str) -> DocumentKind:
    """Return what document a well-formed ID number stands on."""
    from_outside = id_number[:2] in ("81", "82", "83")
    return DocumentKind.HK_MACAO_TAIWAN_RESIDENCE if from_outside else DocumentKind.RESIDENT_ID


def tidy_number(number: str) -> str:
    """Return a document number as it is compared: capitals, no spaces."""
    return "".join(number.split()).upper()


def fits(document: DocumentInput) -> bool:
    """Tell whether a document beside the ID number has the form of its kind."""
    form = _FORMS.get(document.kind)
    if form is None or not re.fullmatch(form, tidy_number(document.number)):
        return False
    wants_country = document.kind is DocumentKind.PASSPORT
    return bool(re.fullmatch(r"[A-Z]{3}" if wants_country else "", document.country))


def paying_enrolment(enrolments: Sequence[EnrolmentView]) -> EnrolmentView | None:
    """Return the enrolment that pays: in force before not, employees' before residents'.

    One person may have several records of which only one can pay for a bill.
    """
    if not enrolments:
        return None
    return min(
        enrolments,
        key=lambda e: (
            _STATUS_ORDER.index(e.status),
            e.insurance_type is not InsuranceType.EMPLOYEE,
            e.id,
        ),
    )


def months_in_row(periods: Sequence[PeriodView], today: date) -> int:
    """Return the whole months up to a day for which an enrolment was in force without a break."""
    begun: date | None = None
    last: date | None = None
    for one in periods:
        if one.starts > today:
            break
        follows = begun is not None and last is not None and one.starts == last + timedelta(days=1)
        if one.status is BenefitStatus.ACTIVE:
            begun = begun if follows else one.starts
            last = one.ends
        else:
            begun = None
    if begun is None or (last is not None and last < today):
        return 0
    months = (today.year - begun.year) * 12 + today.month - begun.month
    return months if today.day >= begun.day else months - 1


def waiting_months(
    gap_years: int,
    repaired_years: int,
    exempt_as: str | None,
    region: str,
    day: date,
    book: Rulebook,
) -> int:
    """Return how many months a resident waits for benefits after (re-)enrolling (CN-WAIT).

    ``gap_years`` are full years without cover before the enrolment, 0 for a first enrolment outside the
    window; ``repaired_years`` those paid back since; ``exempt_as`` such as ``NEWBORN``. The fixed months
    are due in any case but an exemption; each gap year adds to them and each repaired one takes off
    what it added. A long gap keeps a least sum after all repairs. Raises ``RuleMissing`` before the
    rule was in force.
    """

    def rule(name: str) -> Finding:
        return book.find(region, f"waiting.{name}", day)

    if exempt_as is not None and exempt_as in rule("exempt").items:
        return 0
    added = gap_years * rule("months_per_gap_year").count
    taken = repaired_years * rule("months_per_repaired_year").count
    months = rule("fixed_months").count + max(0, added - taken)
    if gap_years >= rule("long_gap_years").count:
        months = max(months, rule("long_gap_least_months").count)
    return months
