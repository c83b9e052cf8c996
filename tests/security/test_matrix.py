"""Who may do what: every operation of the schema for every kind of caller.

The rows are held against the schema, so that a new operation without a row fails. Each call runs in a
transaction that is rolled back, so that every caller meets the same province; where somebody is
turned away, not a row of any table but the records of the asking itself has changed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import strawberry
from sqlalchemy import text

from backend.access.assurance import Proof
from backend.access.contracts import PersonActor, TerminalActor
from backend.appointments.clinic_contracts import OnePer, SeatBlock
from backend.choices import queries as choices
from backend.codes import identities
from backend.codes.contracts import MakePrintedCode, Purpose
from backend.identity.face_contracts import FacePurpose
from backend.infra.clock import SystemIds
from backend.infra.database import Database, Unit
from backend.infra.tokens import Audience, Claims
from backend.kernel.errors import Locale, Refusal
from backend.kernel.money import Fen
from backend.matters.contracts import MatterEvent
from backend.migrations.tables import METADATA
from backend.orders.contracts import ChannelName
from backend.proxies import service as relatives
from backend.proxies.contracts import EndBinding, Scope
from backend.ratings.contracts import RatingEvent, RatingReason
from backend.reports.contracts import ReportEvent
from backend.settlement.contracts import SettlementView
from mobile_bff import documents
from mobile_bff.civil_register import CivilRegister
from mobile_bff.context import Context
from mobile_bff.national_platform import NationalPlatform
from mobile_bff.schema import make_schema
from mobile_bff.trusted import load_documents
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_agreements import signed as signed_agreement
from tests.usecases.test_appointments import PLAN, bill_of, book, join, publish
from tests.usecases.test_appointments import rules as booking_rules
from tests.usecases.test_certificates import issue as certificate
from tests.usecases.test_charges import put
from tests.usecases.test_claim_cases import booked as claim_booked
from tests.usecases.test_claim_cases import pay as claim_paid
from tests.usecases.test_claim_cases import submitted as claim_submitted
from tests.usecases.test_credit import owing_debt
from tests.usecases.test_faces import checked, consenting, enrolled
from tests.usecases.test_filings import (
    JOURNEY,
    PROVEN,
    add,
    at_desk,
    effective,
    save,
    submit,
)
from tests.usecases.test_orders import pay
from tests.usecases.test_passkeys import added
from tests.usecases.test_prescriptions import check, fill, sign, take
from tests.usecases.test_prescriptions import decide as decide_prescription
from tests.usecases.test_ratings import rate, work
from tests.usecases.test_refunds import ask as ask_refund
from tests.usecases.test_relatives import asked_for, bound, may_pay, request
from tests.usecases.test_reports import proven, taken_in
from tests.usecases.test_reports import work as work_report
from tests.usecases.test_sharing import give, open_wallet, send
from tests.usecases.test_tickets import answered as answered_ticket
from tests.world import (
    IBUPROFEN,
    LEVEL_3,
    OTHER_PHARMACY,
    PHARMACY,
    ManualClock,
    World,
    line,
    new_key,
    resources_for,
)

SCHEMA = make_schema()
TURNED_AWAY = {
    "SignInRequired",
    "NotPermitted",
    "BillNotFound",
    "OrderNotFound",
    "ChargeNotFound",
    "MismatchNotFound",
    "AgreementNotFound",
    "RatingNotFound",
    "RefundNotFound",
    "PayLaterNotFound",
    "PrescriptionNotFound",
    "ReportNotFound",
    "UnmaskingNotPossible",
    "PayoutNotFound",
    "ClinicNotFound",
    "AppointmentNotFound",
    "WaitingNotFound",
    "MatterNotFound",
    "BindingNotFound",
    "SessionUnknown",
    "PasskeyUnknown",
    "PasskeyNotAccepted",
    "FaceCheckUnknown",
    "ConsentCodeWrong",
    "SettlementNotFound",
    "DutyMissing",
    "NobodyFound",
    "StayNotFound",
    "CertificateNotFound",
    "ShareNotFound",
    "TransferNotFound",
    "GrantNotValid",
    "FORBIDDEN",
    "UNAUTHENTICATED",
    "NOTHING",
}
_LIBRARY = ("search_gram", "policy_document", "catalogue_item", "catalogue_term")
"""What no operation of the schema writes, and what is too much to compare each time."""
RECORDS_OF_ASKING = {
    "idempotency_record",
    "rate_window",
    "used_nonce",
    "audit_line",
    "audit_lane",
    "consent_challenge",  # a wrong code counts
    "passkey_challenge",  # a challenge serves once
}
PEOPLE = ("self", "stranger", "viewer", "payer", "expired", "revoked", "asker")
TILLS = ("till", "other_till", "hospital")
EVERYBODY = ("anonymous", *PEOPLE, *TILLS, "clerk")
_SELF = {"self"}
_MAY_VIEW = {"self", "viewer", "payer"}


@dataclass
class Province:
    """One owner, the relatives around them, and everything that can be named."""

    world: World
    claims: dict[str, Claims | None]
    ids: dict[str, str]


@dataclass(frozen=True)
class Row:
    """Who gets through to an operation."""

    may: set[str]
    variables: Callable[[Province], dict[str, Any]] = field(default=lambda _: {})
    document: str = ""


def _input(**fields: Any) -> Callable[[Province], dict[str, Any]]:
    """Return variables with one input; a text such as ``@bill`` is the province's id."""

    def made(province: Province) -> dict[str, Any]:
        def value(given: Any) -> Any:
            if isinstance(given, list):
                return [value(one) for one in given]
            named = isinstance(given, str) and given.startswith("@")
            return province.ids[given[1:]] if named else given

        return {"input": {name: value(given) for name, given in fields.items()}}

    return made


def _keyed(**fields: Any) -> Callable[[Province], dict[str, Any]]:
    return lambda province: _input(**fields, requestId=new_key())(province)


def _kin(province: Province, **more: Any) -> dict[str, Any]:
    """Return variables that name a relative."""
    named = {"relativeName": "@owner_name", "relativeIdNumber": "@owner_number"}
    return _keyed(**named, relation="PARENT", promise=True, **more)(province)


_ANYBODY = set(EVERYBODY)
_ANY_PERSON = set(PEOPLE)
_LINE = {"code": IBUPROFEN, "quantity": "1", "unitPrice": "12.00", "traceCodes": ["8" + "7" * 19]}
_CREDENTIAL = "{}"
_PRESCRIBED = {
    "doctorCode": "D1",
    "doctor": "x",
    "signature": "1",
    "diagnosis": "x",
    "lines": [{"code": IBUPROFEN, "quantity": "1", "usage": "x"}],
}
_REPORTED = {"kind": "SWAPPED", "institutionCode": PHARMACY, "facts": "把保健品刷成药品" * 3}
_RULES = {
    "horizonDays": 7,
    "releaseAt": "07:00",
    "onePer": "DOCTOR",
    "payFirst": False,
    "cancelOrdinary": {"minutesBefore": 30},
    "cancelExpert": {"at": "17:00", "daysBefore": 1},
}

MUTATIONS: dict[str, Row] = {
    # before anybody is known
    "requestSignInCode": Row(_ANYBODY, _input(phone="12000000002")),
    "signIn": Row(_ANYBODY, _input(phone="12000000002", code="000000", deviceName="x")),
    "requestRegistrationCode": Row(_ANYBODY, _input(phone="12000000999")),
    "register": Row(
        _ANYBODY,
        _input(
            name="样例", idNumber="@owner_number", phone="12000000999", code="0", deviceName="x"
        ),
    ),
    "refreshSession": Row(_ANYBODY, _input(refreshToken="x")),
    "beginPasskeySignIn": Row(_ANYBODY),
    "signInWithPasskey": Row(set(), _input(ceremonyId="x", credential=_CREDENTIAL, deviceName="x")),
    "openTerminalSession": Row(_ANYBODY, _input(assertion="x", operatorId="1", operatorName="x")),
    # one's own affairs
    "signOut": Row(_ANY_PERSON),
    "signOutEverywhere": Row(_ANY_PERSON),
    "endSession": Row(_SELF, _input(sessionId="@session")),
    "requestStepUpCode": Row(_ANY_PERSON),
    "stepUp": Row(_ANY_PERSON, _input(proof="PAYMENT_PASSWORD", secret="000000")),
    "setPaymentPassword": Row(_ANY_PERSON, _input(password="739146")),
    "setPaymentRules": Row(_ANY_PERSON, _input(confirmAboveFen=1)),
    "freezeAccount": Row(_ANY_PERSON, _input(reason="")),
    "unfreezeAccount": Row(_ANY_PERSON),
    "setNoticeChoices": Row(
        _ANY_PERSON, _input(quietFrom="21:00", quietUntil="08:00", muted=["CARE"])
    ),
    "registerPush": Row(_ANY_PERSON, _input(token="t-1")),
    "readNotices": Row(_ANY_PERSON, _input(upTo="9")),
    "setPreferences": Row(_ANY_PERSON, _input(elderMode=True, noticeBy="CALL")),
    "requestNewPhoneCode": Row(_ANY_PERSON, _input(phone="12000000998")),
    "changePhone": Row(_ANY_PERSON, _input(phone="12000000998", code="000000")),
    "beginAddPasskey": Row(_ANY_PERSON),
    "addPasskey": Row(set(), _input(ceremonyId="x", credential=_CREDENTIAL, name="x")),
    "removePasskey": Row(_SELF, _input(passkeyId="@passkey")),
    "beginPasskeyStepUp": Row(_SELF),
    "stepUpWithPasskey": Row(set(), _input(ceremonyId="x", credential=_CREDENTIAL)),
    "beginFaceCheck": Row(_ANY_PERSON, _input(purpose="ENROL", consent=True)),
    "finishFaceCheck": Row(_SELF, _input(checkId="@face_check")),
    "removeFace": Row(_ANY_PERSON),
    # relatives
    "beginFaceConsent": Row({"asker"}, _input(bindingId="@asked", kind="BIND")),
    "consentByFace": Row(
        {"asker"}, _input(bindingId="@asked", kind="BIND", checkId="@face_consent")
    ),
    "requestBinding": Row(
        _ANY_PERSON,
        _keyed(
            ownerName="@owner_name",
            ownerIdNumber="@owner_number",
            relation="PARENT",
            scopes=["VIEW_INFO"],
        ),
    ),
    "askConsent": Row({"asker"}, _input(bindingId="@asked", kind="BIND")),
    "consentByCode": Row(set(), _input(bindingId="@asked", code="000000")),
    "giveConsent": Row(_SELF, _input(bindingId="@asked", kind="BIND")),
    "declineBinding": Row(_SELF, _input(bindingId="@asked")),
    "endBinding": Row({"self", "viewer"}, _input(bindingId="@viewing")),
    # filings: the payer may file for the owner, the viewer may only look
    "saveFiling": Row(
        {"self", "payer"},
        _keyed(
            subjectId="@owner",
            kind="OTHER",
            areaCode="110100",
            starts="2027-07-20",
            route="NOTHING",
        ),
    ),
    "submitFiling": Row({"self", "payer"}, _keyed(matterId="@draft")),
    "saveChronic": Row(
        {"self", "payer"},
        _keyed(subjectId="@owner", disease="COPD", hospitalCode="H51010400001"),
    ),
    "saveCapitation": Row(
        {"self", "payer"}, _keyed(subjectId="@owner", act="SIGN", hospitalCode="H51010400001")
    ),
    "saveClaim": Row(
        {"self", "payer"},
        _keyed(
            subjectId="@owner",
            reason="OUTAGE",
            institutionCode="H11010100001",
            care="OUTPATIENT",
            first="2027-07-01",
            last="2027-07-01",
            invoices=["11010026A0000077"],
            totalFen=10_000,
            account={"holder": "样例", "bank": "样例银行", "number": "9901000000000001"},
        ),
    ),
    "saveChoice": Row(
        {"self", "payer"}, _keyed(subjectId="@owner", institutionCodes=["H51010400004"])
    ),
    "saveEnrolment": Row(
        {"self", "payer"},
        _keyed(
            subjectId="@owner",
            divisionCode="510104",
            personKind="RESIDENT_ADULT",
            tier="HIGH",
            year=2026,
            address="示例路1号",
            localHousehold=True,
        ),
    ),
    "askForBill": Row({"self", "payer"}, _input(subjectId="@owner", enrolmentId="x", year=2026)),
    "saveTransfer": Row({"self", "payer"}, _keyed(subjectId="@owner", fromArea="511500")),
    "issueCertificate": Row({"self", "payer"}, _keyed(subjectId="@owner", kind="ENROLMENT")),
    "revokeCertificate": Row({"self", "payer"}, _input(certificateId="@certificate")),
    "verifyCertificate": Row(_ANYBODY, lambda _: {"checkCode": "0000"}),
    "saveDoctorTeam": Row({"self", "payer"}, _keyed(subjectId="@owner", teamId="@team")),
    "reportCardLoss": Row(
        {"self", "payer"}, _input(subjectId="@owner", formally=False, freezeCode=False)
    ),
    "liftCardLoss": Row({"self", "payer"}, _input(subjectId="@owner")),
    "openTicket": Row(
        {"self", "payer"},
        _keyed(
            subjectId="@owner",
            institutionCode="H11010100001",
            care="INPATIENT",
            reason="CANNOT_SETTLE",
            words="不能结算",
        ),
    ),
    "sayOfTicket": Row({"self", "payer"}, _input(ticketId="@answered", solved=True)),
    "changePayoutAccount": Row(
        {"self", "payer"},
        _input(
            matterId="@unpaid",
            account={"holder": "样例", "bank": "样例银行", "number": "9901000000000001"},
        ),
    ),
    "submitApplication": Row({"self", "payer"}, _keyed(matterId="@draft")),
    "withdrawMatter": Row({"self", "payer"}, _input(matterId="@draft")),
    "appealMatter": Row({"self", "payer"}, _input(matterId="@rejected", words="x")),
    "cancelFiling": Row({"self", "payer"}, _input(filingId="@filing")),
    "removeMaterial": Row({"self", "payer"}, _input(materialId="@material")),
    # codes and bills
    "issueCode": Row({"self", "payer"}, _keyed(purpose="PHARMACY_PURCHASE", subjectId="@owner")),
    "showHealthCard": Row({"self", "payer"}, _input(subjectId="@owner")),
    "issueIdentityCode": Row({"self", "payer"}, _input(subjectId="@owner")),
    "makePrintedCode": Row({"self", "payer"}, _input(subjectId="@owner")),
    "revokeIdentityCodes": Row({"self", "payer"}, _input(subjectId="@owner")),
    "confirmBill": Row({"self", "payer"}, _keyed(billId="@bill")),
    "refuseBill": Row({"self", "payer"}, _keyed(billId="@bill")),
    "putCharge": Row(
        {"till", "other_till", "hospital"}, _keyed(purpose="PHARMACY_PURCHASE", lines=[_LINE])
    ),
    "withdrawCharge": Row({"till"}, _keyed(chargeId="@charge")),
    "takeCharge": Row({"self", "payer"}, _keyed(chargeId="@charge", subjectId="@owner")),
    "saveComplaint": Row(
        {"self", "payer"},
        _keyed(subjectId="@owner", about="COMPLAINT", topic="CHARGE", words="x"),
    ),
    "lodgeReport": Row(_ANY_PERSON, _keyed(realName=True, **_REPORTED)),
    "sayOfReport": Row(_SELF, _input(reportId="@report", words="x")),
    "appealReport": Row(_SELF, _input(reportId="@declined", words="x")),
    "withdrawReport": Row(_SELF, _input(reportId="@report")),
    "claimReward": Row(
        _SELF,
        _input(reportId="@offered", holder="样例", bank="样例银行", number="9901000000000001"),
    ),
    "waiveReward": Row(_SELF, _input(reportId="@offered")),
    "rateSettlement": Row({"self", "payer"}, _keyed(settlementId="@settlement", grade=5)),
    "sayOfRating": Row({"self", "payer"}, _input(ratingId="@rating", accept=True)),
    "workRating": Row({"till"}, _input(ratingId="@to_answer", event="ANSWER", words="x")),
    "bookAppointment": Row({"self", "payer"}, _keyed(clinicId="@clinic", subjectId="@owner")),
    "confirmAppointment": Row({"self", "payer"}, _keyed(appointmentId="@held")),
    "cancelAppointment": Row({"self", "payer"}, _keyed(appointmentId="@appointment")),
    "joinWaiting": Row({"self", "payer"}, _keyed(clinicId="@full", subjectId="@owner")),
    "leaveWaiting": Row({"self", "payer"}, _keyed(waitingId="@waiting")),
    "decidePrescription": Row(
        {"self", "payer"}, _keyed(prescriptionId="@prescription", accept=True)
    ),
    "signPrescription": Row(set(TILLS), _keyed(token="@visit", **_PRESCRIBED)),
    "voidPrescription": Row({"hospital"}, _keyed(prescriptionId="@prescription", reason="x")),
    "publishOffers": Row(set(TILLS), _keyed(offers=[])),
    "takePrescription": Row({"till", "hospital"}, _keyed(prescriptionId="@to_fill")),
    "auditPrescription": Row(
        {"till"},
        _keyed(prescriptionId="@locked", pharmacistCode="1", pharmacist="x", passes=True),
    ),
    "fillPrescription": Row({"till"}, _keyed(prescriptionId="@checked", lines=[])),
    "handOverDrugs": Row({"till"}, _keyed(prescriptionId="@paid")),
    "takeChargeAtTill": Row({"till"}, _keyed(token="@token", chargeId="@charge")),
    "askRefund": Row({"self", "payer"}, _keyed(settlementId="@settlement", words="x")),
    "withdrawRefund": Row({"self", "payer"}, _keyed(refundId="@refund")),
    "askAgreement": Row(
        _ANY_PERSON, _keyed(channel="WECHAT", perPaymentFen=1, perDayFen=1, consents=True)
    ),
    "limitAgreement": Row({"self"}, _input(agreementId="@agreement", perPaymentFen=1, perDayFen=1)),
    "endAgreement": Row({"self"}, lambda p: {"agreementId": p.ids["agreement"]}),
    "repayCredit": Row({"self"}, _keyed(agreementId="@agreement")),
    "payDebt": Row({"self", "payer"}, _keyed(agreementId="@debt", part="ALL", channel="WECHAT")),
    "compareTotals": Row(
        set(TILLS),
        _keyed(
            day="2027-07-01",
            insurance="EMPLOYEE",
            count=0,
            totalFen=0,
            fundFen=0,
            accountFen=0,
            cashFen=0,
        ),
    ),
    "compareLines": Row(set(TILLS), _keyed(day="2027-07-01", insurance="EMPLOYEE", lines=[])),
    "payAtTill": Row({"till"}, _keyed(billId="@bill")),
    "refundLines": Row(
        {"till"},
        _keyed(settlementId="@settlement", lines=[{"number": 9, "quantity": "1"}], words="x"),
    ),
    "decideRefund": Row({"till"}, _keyed(refundId="@refund", grant=False, words="x")),
    "objectToDebt": Row({"self", "payer"}, _keyed(agreementId="@debt", words="x")),
    "payInstalment": Row({"hospital"}, _keyed(agreementId="@debt", amountFen=1)),
    "setBookingRules": Row(set(TILLS), _keyed(**_RULES)),
    "publishClinics": Row(set(TILLS), _keyed(clinics=[])),
    "stopClinic": Row({"hospital"}, _keyed(number="A1", reason="x")),
    "receivePatient": Row({"hospital"}, _keyed(appointmentId="@appointment", event="ARRIVE")),
    "bookAtWindow": Row({"hospital"}, _keyed(token="@visit", number="A1")),
    "payBill": Row({"self", "payer"}, _keyed(billId="@bill", channel="WECHAT")),
    "cancelPayment": Row({"self", "payer"}, _keyed(paymentId="@payment")),
    "reportNotMe": Row(_SELF, _keyed(settlementId="@settlement", words="")),
    # money for relatives
    "giveShare": Row(_ANY_PERSON, _kin),
    "limitShare": Row({"self"}, _input(shareId="@share", limitFen=100)),
    "endShare": Row({"self", "asker"}, _input(shareId="@share")),
    "openWallet": Row(_ANY_PERSON),
    "sendMoney": Row(_ANY_PERSON, lambda province: _kin(province, amountFen=100)),
    "receiveTransfer": Row({"asker"}, _input(transferId="@transfer")),
    "declineTransfer": Row({"asker"}, _input(transferId="@transfer")),
    "takeBackTransfer": Row(_SELF, _input(transferId="@transfer")),
    # tills
    "closeTerminalSession": Row(set(TILLS)),
    "decodeCode": Row(
        {"till", "other_till", "hospital"},
        _keyed(code="@code", purpose="PHARMACY_PURCHASE"),
    ),
    "resolveCode": Row(set(TILLS), _keyed(text="4" * 28, purpose="PHARMACY_PURCHASE")),
    "beginTillFace": Row(set(TILLS), _keyed(text="@printed")),
    "presettle": Row({"till"}, _keyed(token="@token", lines=[_LINE])),
    "settle": Row({"till"}, _keyed(billId="@bill")),
    "reverseSettlement": Row({"till"}, _keyed(settlementId="@settlement", reason="x")),
    "takeNoteOfPayment": Row({"till"}, _keyed(paymentId="@payment")),
    "admitPatient": Row({"hospital"}, _keyed(token="@admission")),
    "referPatient": Row({"till"}, _keyed(token="@token", toCode="H51010400001", reason="复诊")),
    "openTicketAtTill": Row(
        {"till"},
        _keyed(token="@token", care="OUTPATIENT", reason="CANNOT_SETTLE", words="不能结算"),
    ),
    "takeDeposit": Row({"hospital"}, _keyed(stayId="@stay", amount=100)),
    "cancelAdmission": Row({"hospital"}, _keyed(stayId="@stay")),
    "uploadLocalItems": Row(
        set(TILLS),
        _keyed(items=[{"localCode": "A", "kind": "DRUG", "name": "x"}]),
    ),
}
_SUBJECT = "subjectId: $subject"
QUERIES: dict[str, tuple[set[str], str]] = {
    "appModules": (_ANYBODY, "appModules { title }"),
    "policyInfo": (
        _ANYBODY,
        "policyInfo { modules { id } outages { reason } policies { code } "
        'policy(code: "CN-FL") { body } neighbourPolicies { hint } news { code } }',
    ),
    "policyInfo.localPolicies": (
        _MAY_VIEW,
        f"policyInfo {{ localPolicies({_SUBJECT}) {{ code }} }}",
    ),
    "publicServices": (
        _ANYBODY,
        'publicServices { modules { id } institutions(divisionCode: "510104", kind: PHARMACY) { id } '
        'institution(code: "P51010400001") { id } findInstitutions(input: {text: "大药房"}) { metres } '
        'waitingPeriod(areaCode: "510100", gapYears: 1) { months } '
        'registrationChoices(areaCode: "510100") { years } '
        'catalogueItems(text: "布洛芬片") { code } }',
    ),
    "publicServices.filings": (
        _MAY_VIEW,
        f"publicServices {{ filings({_SUBJECT}) {{ filingId }} matters({_SUBJECT}) {{ number }} "
        f"tickets({_SUBJECT}) {{ number }} transfers({_SUBJECT}) {{ months }} "
        f"certificates({_SUBJECT}) {{ number }} "
        f'directSettlement({_SUBJECT}, institutionCode: "H11010100001", care: INPATIENT) '
        "{ can } }",
    ),
    "publicServices.filingApplication": (
        _MAY_VIEW,
        "publicServices { filingApplication(matterId: $draft) { areaCode } }",
    ),
    "publicServices.application": (
        _MAY_VIEW,
        "publicServices { application(matterId: $draft) { missingText } }",
    ),
    "complaints": (
        _ANYBODY,
        'complaints { modules { id } institutionScore(code: "x") { count } '
        "publishedFindings { month } }",
    ),
    "complaints.report": (_ANYBODY, "complaints { report(secret: $secret) { number } }"),
    "complaints.myReports": (_ANY_PERSON, "complaints { myReports { number } }"),
    "complaints.ratings": (
        _MAY_VIEW,
        f"complaints {{ ratings({_SUBJECT}) {{ grade }} complaints({_SUBJECT}) {{ number }} }}",
    ),
    "viewer": (_ANY_PERSON, "viewer { maskedName }"),
    "devices": (_ANY_PERSON, "devices { name }"),
    "passkeys": (_ANY_PERSON, "passkeys { name }"),
    "home": (_ANY_PERSON, "home { tiles { title } }"),
    "notices": (_ANY_PERSON, "notices { edges { node { title } } }"),
    "unreadNotices": (_ANY_PERSON, "unreadNotices"),
    "noticeChoices": (_ANY_PERSON, "noticeChoices { quietFrom }"),
    "preferences": (_ANY_PERSON, "preferences { elderMode }"),
    "benefits": (
        _ANY_PERSON,
        "benefits { modules { id } family { actingFor { state } } proxyActs { text } "
        "sharing { shares { status { text } } drawOrder { place } } wallet { open } "
        "transfers { text } }",
    ),
    "benefits.clinics": (
        _ANYBODY,
        'benefits { bookableHospitals { code } bookingRules(hospital: "x") { since } '
        'bookableDepartments(hospital: "x") { code } clinics(hospital: "x") { number } '
        'clinicTimes(clinicId: "x") { free } }',
    ),
    "benefits.prescriptions": (
        {"self", "payer"},
        f"benefits {{ prescriptions({_SUBJECT}) {{ state }} "
        "prescriptionOffers(prescriptionId: $prescription) { updatedAt } }",
    ),
    "benefits.payLater": (
        _MAY_VIEW,
        f"benefits {{ payLater({_SUBJECT}) {{ state }} "
        f'payLaterRight(hospital: "H51010400001", {_SUBJECT}) {{ entitled }} }}',
    ),
    "benefits.appointments": (
        {"self", "payer"},
        f"benefits {{ appointments({_SUBJECT}) {{ state }} waitingPlaces({_SUBJECT}) {{ ahead }} "
        f'bookingBar(hospital: "x", {_SUBJECT}) {{ until }} }}',
    ),
    "personalRights": (
        _MAY_VIEW,
        f"personalRights({_SUBJECT}) {{ modules {{ id }} person {{ maskedName }} "
        "documents { id } enrolments { id } accounts { enrolmentId } yearUse { year } yearSummary { year } "
        "capitation { countsFrom } chronicDiseases { id } chronicChoices { workdays } claims { invoices } "
        "chosenInstitutions { starts } teamContracts { ends } doctorTeams { name } "
        "choiceRules { countMax } referrals { ends } cardLoss { state } contributions { starts } "
        "insuranceGap { months } settlements { edges { node { id } } } "
        'estimate(input: {care: OUTPATIENT, inScope: 100, options: [{institutionId: "x"}]}) '
        "{ refusal } }",
    ),
    "mobilePayment": (
        _MAY_VIEW,
        f"mobilePayment({_SUBJECT}) {{ modules {{ id }} openBills {{ id }} channels agreementChannels "
        f"payments {{ paymentId }} openCharges {{ chargeId }} refunds {{ state }} }}",
    ),
    "mobilePayment.paymentSecurity": (
        _SELF,
        f"mobilePayment({_SUBJECT}) {{ paymentSecurity {{ password }} }}",
    ),
    "mobilePayment.agreements": (
        _SELF,
        f"mobilePayment({_SUBJECT}) {{ agreements {{ number }} }}",
    ),
    "node": ({*_MAY_VIEW, "till"}, "node(id: $node) { __typename }"),
    "nodes": ({*_MAY_VIEW, "till"}, "nodes(ids: [$node]) { __typename }"),
    "till": (
        set(TILLS),
        "till { institution { id } unnotedPayments { number } ratingsToAnswer { grade } "
        'stays { stayId } localItems { localCode } clinicDays(day: "2027-01-01") { freeAtWindow } '
        'clinicAppointments(number: "x") { queueNumber } '
        "prescriptionsToFill { number } prescriptionsSigned { number } debts { state } refundsToDecide { state } "
        "statements(days: 1) { state } "
        "settlements { edges { node { id } } } }",
    ),
    "payment": ({*_MAY_VIEW, "till"}, "payment(paymentId: $payment) { number }"),
    "till.charge": ({"till"}, "till { charge(chargeId: $charge) { chargeId } }"),
    "till.bill": ({"till"}, "till { bill(billId: $bill) { billId } }"),
    "till.stay": ({"hospital"}, "till { stay(stayId: $stay) { stayId } }"),
}


class TrialDoor:
    """The door inwards, whose every write is undone; what a refusal would have changed is compared."""

    def __init__(self, world: World) -> None:
        self.database = world.database
        self.refusals_that_changed: list[str] = []
        self.channels = {ChannelName.WECHAT: ScriptedChannel(world.clock)}

    async def write(self, use_case: Any, command: Any, request_id: str) -> Any:
        with self.database._transaction(writing=True, request_id=request_id) as unit:
            before = _digest(unit)
            outcome = use_case(unit, command)
            if isinstance(outcome, Refusal) and type(outcome).__name__ in TURNED_AWAY:
                unit.db.flush()
                if _digest(unit) != before:
                    self.refusals_that_changed.append(type(outcome).__name__)
            unit.db.rollback()
            return outcome

    async def read(self, query: Any) -> Any:
        return self.database.read(query)

    async def drive(self, order_id: str) -> None:
        """Leave an order where it is: what began it is undone already."""

    async def look_after(self, agreement_id: str) -> None:
        """Leave an agreement where it is, for the same reason."""


def _digest(unit: Unit) -> str:
    connection = unit.db.connection()
    content = [
        (name, sorted(map(str, connection.execute(text(f"SELECT * FROM {name}")))))
        for name in sorted(METADATA.tables)
        if name not in (*RECORDS_OF_ASKING, *_LIBRARY)
    ]
    return hashlib.sha256(repr(content).encode()).hexdigest()


@pytest.fixture(scope="module")
def province(
    sqlite_template: Path, keys_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Province]:
    path = tmp_path_factory.mktemp("matrix") / "yibao.sqlite3"
    shutil.copy(sqlite_template, path)
    clock = ManualClock()
    database = Database(resources_for(f"sqlite:///{path}", keys_file, clock))
    world = World(database, clock)
    yield _furnished(world)
    database.close()


def _furnished(world: World) -> Province:
    names = {
        "self": "retiree",
        "stranger": "worker",
        "viewer": "worker_2",
        "payer": "worker_3",
        "expired": "worker_4",
        "revoked": "worker_5",
        "asker": "worker_6",
    }
    old = bound(world, names["expired"], "retiree")
    gone = bound(world, names["revoked"], "retiree")
    world.do(relatives.end_binding, EndBinding(world.actor("retiree"), gone.id))
    world.clock.forward(days=366)
    world._actors.clear()
    world._terminals.clear()
    assert old.expires_on < world.clock.now().date()
    viewing = bound(world, names["viewer"], "retiree", scopes=(Scope.VIEW_INFO,))
    paying = bound(world, names["payer"], "retiree")
    may_pay(world, "retiree", paying.id, 100_000)
    world.clock.forward(days=31)  # another month, or nobody could ask any more
    asked = request(world, names["asker"], "retiree")
    device = added(world, "retiree")
    enrolled(world, "retiree", "astronaut")
    face_check = checked(world, world.actor("retiree"), FacePurpose.STEP_UP, "astronaut", film=1)
    face_consent = consenting(world, names["asker"], asked.id, "astronaut", film=2)
    paper = world.do(
        identities.make_printed_code,
        MakePrintedCode(world.actor("retiree"), world.person("retiree")),
    )
    settled = world.buy("retiree", line(IBUPROFEN, "1", "12.00"))
    bill = world.bill("retiree", line(IBUPROFEN, "1", "300.00"))
    rated, to_answer = (rate(world, 1, RatingReason.WAITING, who="retiree") for _ in range(2))
    work(world, rated, RatingEvent.ANSWER)
    prescriptions = _prescriptions_of(world)
    bought = world.buy("retiree", line(IBUPROFEN, "1", "11.00"))
    refund = ask_refund(world, bought.id, "retiree")
    payment = pay(world, "retiree")
    charge = put(world, line(IBUPROFEN, "1", "20.00"), token=world.scan("retiree").token)
    token = world.scan("retiree").token
    stay = world.admit("resident")
    admission = world.scan("resident_2", LEVEL_3, Purpose.HOSPITAL_ADMISSION).token
    owner = asked_for(world, "worker", "retiree")
    world.prove("retiree", Proof.DESK)
    share = give(world, "retiree", names["asker"])
    for key in ("retiree", names["asker"]):
        open_wallet(world, key)
    transfer = send(world, "retiree", names["asker"], 100)
    drafts = _filings_of(world)
    unpaid = claim_submitted(world, "retiree", invoices=("11010026A0000078",))
    claim_booked(world, unpaid.id)
    assert claim_paid(world, unpaid.id, False, "户名不符").matter.state.value == "PAY_FAILED"
    claims: dict[str, Claims | None] = {"anonymous": None}
    until = world.clock.now() + timedelta(hours=1)
    for name, key in names.items():
        actor: PersonActor = world.actor(key)
        world.prove(key, Proof.DESK)
        claims[name] = Claims(Audience.PERSON, actor.person_id, actor.session_id, until)
    for name, code in (("till", PHARMACY), ("other_till", OTHER_PHARMACY), ("hospital", LEVEL_3)):
        till: TerminalActor = world.terminal(code)
        claims[name] = Claims(Audience.TERMINAL, till.terminal_id, till.session_id, until)
    staff = world.staff("CD1002")  # whose token opens the desk, and nothing here
    claims["clerk"] = Claims(Audience.STAFF, staff.staff_id, staff.session_id, until)
    ids = {
        "owner": world.person("retiree"),
        "unpaid": unpaid.id,
        "certificate": certificate(world, who="retiree").id,
        "answered": answered_ticket(world, "retiree").id,
        "team": world.database.read(
            lambda u: choices.teams_of_area(u, "510100", world.clock.now().date(), 1)
        )[0].id,
        "owner_name": owner.owner_name,
        "owner_number": owner.owner_id_number,
        "session": world.actor("retiree").session_id,
        "passkey": device.id,
        "share": share.id,
        "transfer": transfer.id,
        **drafts,
        "face_check": face_check,
        "face_consent": face_consent,
        "printed": paper.text,
        "asked": asked.id,
        "viewing": viewing.id,
        "bill": bill.id,
        "payment": payment.id,
        "charge": charge.id,
        **_clinics_of(world),
        **_reports_of(world),
        **prescriptions,
        "refund": refund.id,
        "agreement": signed_agreement(world, "retiree", ChannelName.CREDIT).id,
        "debt": owing_debt(world, "retiree"),
        "rating": rated.id,
        "to_answer": to_answer.id,
        "settlement": settled.id,
        "node": base64.b64encode(f"Settlement:{settled.id}".encode()).decode(),
        "stay": stay.id,
        "code": world.issue("worker_7").text,
        "token": token,
        "admission": admission,
    }
    return Province(world, claims, ids)


def _prescriptions_of(world: World) -> dict[str, str]:
    """Return the owner's prescriptions at every step of being filled."""
    names = ("prescription", "to_fill", "locked", "checked", "paid")
    made = {name: sign(world, "retiree") for name in names}
    for name in names[1:]:
        decide_prescription(world, made[name], "retiree")
    for name in names[2:]:
        take(world, made[name])
    for name in names[3:]:
        check(world, made[name])
    charged = fill(world, made["paid"])
    settled = world.settle(bill_of(world, charged, "retiree").id)
    assert isinstance(settled, SettlementView), settled
    return {name: one.id for name, one in made.items()}


def _reports_of(world: World) -> dict[str, str]:
    """Return the owner's reports: one new, one that was not taken up, one with a reward."""
    new, declined, offered = (taken_in(world, "retiree") for _ in range(3))
    work_report(world, declined, ReportEvent.DECLINE)
    proven(world, offered)
    return {
        "report": new.report_id,
        "declined": declined.report_id,
        "offered": offered.report_id,
        "secret": new.secret,
    }


def _clinics_of(world: World) -> dict[str, str]:
    """Return clinics with and without seats, what the owner has of them, and who stands at the window."""
    day = world.clock.now().date() + timedelta(days=3)
    booking_rules(world, one_per=OnePer.DOCTOR)
    one = {"day": day, "blocks": (SeatBlock(time(8), time(9), 2, 1),), "fee_fen": 0}
    plans = [
        replace(PLAN, **{**one, "number": f"A{number}", "doctor_code": f"D{number}"})
        for number in range(5)
    ]
    open_one, mine, full, paid, waits = publish(world, *plans).clinics
    booked = book(world, mine.id, "retiree")
    for shown in (full, waits):
        book(world, shown.id, "worker_6")
    booking_rules(world, one_per=OnePer.DOCTOR, pay_first=True)
    publish(world, replace(plans[3], fee_fen=Fen(5000)))
    return {
        "clinic": open_one.id,
        "appointment": booked.id,
        "full": full.id,
        "held": book(world, paid.id, "retiree").id,
        "waiting": join(world, waits.id, "retiree").id,
        "visit": world.scan("retiree_2", LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT).token,
    }


def _filings_of(world: World) -> dict[str, str]:
    """Return a draft with a paper, a refused application and a filing in force of the owner."""
    today = world.clock.now().date()
    journey = replace(JOURNEY, starts=today)
    in_force = effective(world, journey, "retiree")
    elsewhere = replace(PROVEN, area_code="310100", starts=today)
    refused = save(world, elsewhere, "retiree")
    add(world, refused.matter.id, by="retiree")
    submit(world, refused, "retiree")
    at_desk(world, refused.matter.id, MatterEvent.REJECT)
    draft = save(world, elsewhere, "retiree")
    paper = add(world, draft.matter.id, by="retiree")
    return {
        "filing": in_force,
        "rejected": refused.matter.id,
        "draft": draft.matter.id,
        "material": paper.id,
    }


def asked(
    province: Province,
    who: str,
    document: str,
    variables: dict[str, Any],
    schema: strawberry.Schema = SCHEMA,
) -> tuple[str, list[str]]:
    """Return what became of an operation: a type's name, an error's code, or ``NOTHING``."""
    door = TrialDoor(province.world)
    context = Context(
        door=door,  # type: ignore[arg-type]
        feed=None,  # type: ignore[arg-type]
        locale=Locale.ZH,
        address="here",
        request_id=new_key(),
        claims=province.claims[who],
        documents=load_documents(only_own=False),
        register=CivilRegister("http://127.0.0.1:9", "", SystemIds()),
        national=NationalPlatform("http://127.0.0.1:9", ""),
    )
    result = asyncio.run(schema.execute(document, variable_values=variables, context_value=context))
    if result.errors:
        codes = {(error.extensions or {}).get("code") for error in result.errors}
        assert codes <= {"FORBIDDEN", "UNAUTHENTICATED"}, result.errors
        return str(codes.pop()), door.refusals_that_changed
    value = next(iter((result.data or {}).values()))
    return _named(value), door.refusals_that_changed


def _named(value: Any) -> str:
    if value is None or value == [None]:
        return "NOTHING"
    if isinstance(value, dict):
        if "__typename" in value:
            return str(value["__typename"])
        inner = [part for part in value.values() if part is None]
        return "NOTHING" if inner and len(value) == 1 else "SHOWN"
    return "SHOWN"


@cache
def _document(mutation: str) -> str:
    name = mutation[0].upper() + mutation[1:]
    return documents.document(name)


def test_every_operation_of_the_schema_has_a_row() -> None:
    schema = SCHEMA._schema
    assert schema.mutation_type is not None
    assert schema.query_type is not None
    assert set(MUTATIONS) == set(schema.mutation_type.fields)
    assert {name.split(".")[0] for name in QUERIES} == set(schema.query_type.fields)
    assert schema.subscription_type is not None
    assert set(schema.subscription_type.fields) == {
        "billEvents",
        "happenings",
    }  # follow the caller's own topic


def test_every_field_of_a_namespace_is_asked_for_somewhere() -> None:
    spaces = {
        "personalRights": "PersonalRights",
        "mobilePayment": "MobilePayment",
        "benefits": "Benefits",
        "till": "Till",
        "policyInfo": "PolicyInfo",
        "publicServices": "PublicServices",
        "complaints": "Complaints",
    }
    for query, kind in spaces.items():
        asked_texts = " ".join(q for name, (_, q) in QUERIES.items() if name.split(".")[0] == query)
        fields = SCHEMA._schema.type_map[kind].fields  # type: ignore[attr-defined]
        missing = [name for name in fields if name not in asked_texts]
        assert missing == [], kind


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_who_may_write(province: Province, mutation: str, who: str) -> None:
    row = MUTATIONS[mutation]
    became, changed = asked(province, who, _document(mutation), row.variables(province))
    assert (became not in TURNED_AWAY) == (who in row.may), became
    assert changed == []


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("query", sorted(QUERIES))
def test_who_may_read(province: Province, query: str, who: str) -> None:
    may, selection = QUERIES[query]
    ids = province.ids
    wanted = {
        "subject": ids["owner"],
        "node": ids["node"],
        "bill": ids["bill"],
        "stay": ids["stay"],
        "draft": ids["draft"],
        "secret": ids["secret"],
        "prescription": ids["prescription"],
        "payment": ids["payment"],
        "charge": ids["charge"],
    }
    kinds = dict.fromkeys(wanted, "ID!") | {"subject": "ID", "secret": "String!"}
    used = [name for name in wanted if f"${name}" in selection]
    head = ", ".join(f"${name}: {kinds[name]}" for name in used)
    document = (
        f"query Asked({head}) {{ {selection} }}" if head else f"query Asked {{ {selection} }}"
    )
    became, _ = asked(province, who, document, {name: wanted[name] for name in used})
    assert (became not in TURNED_AWAY) == (who in may), became
