"""能否直接结算: whether somebody can settle directly at a place on a day, why not, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from backend.entitlements.queries import crosses_provinces, has_disease
from backend.filings import queries as filings
from backend.filings.contracts import FilingView
from backend.filings.logic import exempt_provinces
from backend.infra.database import Unit
from backend.institutions.contracts import Ability, Agreement, InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.kernel.money import Fen
from backend.payments.estimate import EstimateCosts, EstimateOption, estimate
from backend.payments.visits import enrolment_on
from backend.people.contracts import BenefitStatus, EnrolmentView
from backend.policies.contracts import OutageNow, Service
from backend.policies.queries import outage_now
from backend.regions.library import province_code
from backend.rulebook.library import rulebook
from backend.settlement.case import CareKind, FilingKind

_SAMPLE = EstimateCosts(Fen(1_000_000), Fen(0), Fen(0))
"""What the rates are told by: ten thousand yuan in scope, the year as it stands."""
_ABILITY = {CareKind.INPATIENT: Ability.INPATIENT, CareKind.CHRONIC: Ability.CHRONIC_DISEASE}
_SERVICE = {CareKind.INPATIENT: Service.INPATIENT_SETTLEMENT}


class DirectReason(StrEnum):
    """Something that decides, or is worth knowing."""

    AGREEMENT_NOT_OPEN = "AGREEMENT_NOT_OPEN"
    NOT_OFFERED = "NOT_OFFERED"
    NOT_INSURED = "NOT_INSURED"
    BENEFITS_WAIT = "BENEFITS_WAIT"
    OUTAGE = "OUTAGE"
    RULE_NOT_LOADED = "RULE_NOT_LOADED"
    NOT_SEEN_YET = "NOT_SEEN_YET"
    NO_FILING = "NO_FILING"
    FILED = "FILED"
    NO_DIFFERENCE = "NO_DIFFERENCE"
    AT_HOME = "AT_HOME"
    DISEASE_NOT_ON_FILE = "DISEASE_NOT_ON_FILE"
    DISEASE_STAYS_AT_HOME = "DISEASE_STAYS_AT_HOME"

    @property
    def stops(self) -> bool:
        """Tell whether nobody settles directly because of it."""
        return self in _STOPS

    def text(self, locale: Locale) -> str:
        """Return it in plain words, with what would change it."""
        return _WORDS[self.value][0 if locale is Locale.ZH else 1]


_STOPS = {
    DirectReason.AGREEMENT_NOT_OPEN,
    DirectReason.NOT_OFFERED,
    DirectReason.NOT_INSURED,
    DirectReason.BENEFITS_WAIT,
    DirectReason.OUTAGE,
    DirectReason.RULE_NOT_LOADED,
    DirectReason.DISEASE_NOT_ON_FILE,
    DirectReason.DISEASE_STAYS_AT_HOME,
}
_WORDS = {
    "AGREEMENT_NOT_OPEN": (
        "这家机构的医保协议目前不在履行中，请换一家定点机构。",
        "This place has no agreement in force; choose another one.",
    ),
    "NOT_OFFERED": (
        "这家机构没有开通这类医保结算，请换一家。",
        "This place does not settle this kind of care; choose another one.",
    ),
    "NOT_INSURED": (
        "当天没有参保记录，请先核对参保信息。",
        "There is no insurance on that day; look at the enrolments first.",
    ),
    "BENEFITS_WAIT": (
        "参保了但当天不能享受待遇（暂停或等待期），请看参保信息中的状态和起始日。",
        "Insured, but without benefits on that day; see status and dates of the enrolment.",
    ),
    "OUTAGE": (
        "当前系统停机，请看停机公告；急需时先自费并保留票据。",
        "The system is down, see the outage; if it is urgent pay and keep the papers.",
    ),
    "RULE_NOT_LOADED": (
        "参保地的待遇规则尚未录入，暂时算不出来，请电话咨询参保地经办机构。",
        "The rules of the insured area are not loaded; ask its agency by phone.",
    ),
    "NOT_SEEN_YET": (
        "备案已在参保地通过，但还没有传到国家平台，医院现在还看不到；传到后会通知您。",
        "The filing is approved at home but not uploaded yet, so the hospital cannot see it; you "
        "will be told once it is.",
    ),
    "NO_FILING": (
        "还没有去那里的备案，现在结算会按未备案的比例；出院结算前补办，就按备案的比例。",
        "There is no filing for that place; filed before the discharge is settled it counts.",
    ),
    "NO_DIFFERENCE": (
        "没有去那里的备案；按参保地规则，这类就医备案与否报销比例相同。",
        "There is no filing for that place; for this care the rate is the same with one.",
    ),
    "DISEASE_NOT_ON_FILE": (
        "没有这个门诊慢特病的认定，不能按慢特病直接结算；请先申请认定，或按普通门诊结算。",
        "The chronic disease is not on file; apply for it first, or settle as ordinary care.",
    ),
    "DISEASE_STAYS_AT_HOME": (
        "这个病种还不能跨省直接结算；先垫付，再回参保地手工报销。",
        "This disease is not settled in other provinces yet; pay, and claim at home.",
    ),
    "FILED": ("去那里的备案已经生效。", "A filing for that place is in force."),
    "AT_HOME": (
        "在参保地，或参保地规定免备案的地方，不需要备案。",
        "At home, or where the insured area asks for no filing.",
    ),
}


@dataclass(frozen=True)
class DirectCheck:
    """The answer: yes or no, every reason, and the expected rates of a plain case.

    A rate is what all payers but the patient take of ten thousand yuan in scope; ``rate_if_filed`` is
    given where a filing would make a difference.
    """

    can: bool
    reasons: tuple[DirectReason, ...]
    institution: InstitutionView
    enrolment: EnrolmentView | None
    filing: FilingView | None
    outage: OutageNow | None
    rate: Fraction | None
    rate_if_filed: Fraction | None


def check(
    unit: Unit,
    person_id: str,
    institution: InstitutionView,
    care: CareKind,
    day: date,
    disease: str = "",
) -> DirectCheck:
    """Answer for a person, a place, a kind of care and a day; ``disease`` of chronic care. Changes nothing."""
    reasons = []
    if institution.agreement is not Agreement.OPEN:
        reasons.append(DirectReason.AGREEMENT_NOT_OPEN)
    wanted = _ABILITY.get(care)
    if wanted is not None and wanted not in institution.abilities:
        reasons.append(DirectReason.NOT_OFFERED)
    enrolment = enrolment_on(unit, person_id, None, day)
    outage = filing = None
    rate = better = None
    if enrolment is None:
        reasons.append(DirectReason.NOT_INSURED)
    else:
        if enrolment.status is not BenefitStatus.ACTIVE:
            reasons.append(DirectReason.BENEFITS_WAIT)
        if day == local_day(unit.now):
            service = _SERVICE.get(care, Service.OUTPATIENT_SETTLEMENT)
            areas = {enrolment.area_code, institution.area_code}
            outage = outage_now(unit, areas, service)
        if outage is not None:
            reasons.append(DirectReason.OUTAGE)
        if care is CareKind.CHRONIC and not has_disease(unit, enrolment.id, disease, day):
            reasons.append(DirectReason.DISEASE_NOT_ON_FILE)
        elif care is CareKind.CHRONIC and not _crosses(enrolment, institution, disease, day):
            reasons.append(DirectReason.DISEASE_STAYS_AT_HOME)
        filing = filings.in_force(unit, enrolment.id, institution.area_code, day)
        rate, better = _rates(unit, person_id, institution, care, day, filing, disease)
        reasons.append(_about_filing(unit, enrolment, institution, day, filing, rate, better))
        if rate is None and DirectReason.DISEASE_NOT_ON_FILE not in reasons:
            reasons.append(DirectReason.RULE_NOT_LOADED)
    return DirectCheck(
        can=not any(reason.stops for reason in reasons),
        reasons=tuple(reasons),
        institution=institution,
        enrolment=enrolment,
        filing=filing,
        outage=outage,
        rate=rate,
        rate_if_filed=better if better != rate else None,
    )


def _crosses(
    enrolment: EnrolmentView, institution: InstitutionView, disease: str, day: date
) -> bool:
    """Tell whether a disease is settled directly at a place: at home always, elsewhere some."""
    at_home = province_code(enrolment.area_code) == province_code(institution.area_code)
    return at_home or crosses_provinces(disease, enrolment.area_code, day)


def _about_filing(
    unit: Unit,
    enrolment: EnrolmentView,
    institution: InstitutionView,
    day: date,
    filing: FilingView | None,
    rate: Fraction | None,
    better: Fraction | None,
) -> DirectReason:
    if filing is not None:
        return DirectReason.FILED
    exempt = exempt_provinces(enrolment.area_code, day, rulebook())
    if institution.area_code[:2] in exempt:
        return DirectReason.AT_HOME
    waits = filings.not_seen_yet(unit, enrolment.id, institution.area_code, day)
    if waits is not None:
        return DirectReason.NOT_SEEN_YET
    same = rate is not None and rate == better
    return DirectReason.NO_DIFFERENCE if same else DirectReason.NO_FILING


def _rates(
    unit: Unit,
    person_id: str,
    institution: InstitutionView,
    care: CareKind,
    day: date,
    filing: FilingView | None,
    disease: str,
) -> tuple[Fraction | None, Fraction | None]:
    """Return the rate as things stand, and with a long-term filing."""
    options = (
        EstimateOption(institution.id, None if filing is None else filing.kind),
        EstimateOption(institution.id, FilingKind.LONG_TERM_RESIDENT),
    )
    now, filed = (
        None
        if one.outcome is None
        else 1 - Fraction(one.outcome.cash_fen + one.outcome.account_fen, _SAMPLE.in_scope_fen)
        for one in estimate(unit, person_id, care, disease, day, _SAMPLE, options)
    )
    return now, filed
