"""The schema: the six groups, flat mutations, live events."""

from __future__ import annotations

from functools import cache

import strawberry
from strawberry import relay
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from backend.access.contracts import Action, PersonActor
from backend.people import queries as people
from mobile_bff import wording as _wording  # registers the enums first
from mobile_bff.applications import ApplicationMutations, ApplicationQueries
from mobile_bff.benefits.appointments import AppointmentMutations, AppointmentQueries
from mobile_bff.benefits.credit_care import CreditMutations, CreditQueries
from mobile_bff.benefits.family_accounts import FamilyMutations, FamilyQueries
from mobile_bff.benefits.family_sharing import SharingMutations, SharingQueries
from mobile_bff.benefits.prescriptions import PrescriptionMutations, PrescriptionQueries
from mobile_bff.cash_agreements import AgreementMutations, AgreementQueries
from mobile_bff.charges import ChargeMutations, ChargeQueries
from mobile_bff.complaints.complaints_and_suggestions import ComplaintMutations, ComplaintQueries
from mobile_bff.complaints.real_name_reports import ReportMutations, ReportQueries
from mobile_bff.complaints.service_ratings import RatingMutations, RatingQueries
from mobile_bff.connections import PAGE_MAX, ObjectsOnly
from mobile_bff.context import Info
from mobile_bff.estimates import EstimateQueries
from mobile_bff.faces import FaceMutations
from mobile_bff.happenings import HappeningSubscriptions
from mobile_bff.home import Home, home
from mobile_bff.identity_codes import IdentityCodeMutations
from mobile_bff.inbox import InboxMutations, InboxQueries
from mobile_bff.limits import EXTENSIONS
from mobile_bff.mobile_payment.bills_and_refunds import (
    BillMutations,
    BillQueries,
    BillSubscriptions,
)
from mobile_bff.mobile_payment.payment_security import SecurityMutations, SecurityQueries
from mobile_bff.mobile_payment.unified_code import CodeMutations
from mobile_bff.modules import AppModuleGroupType, AppModuleType, groups_shown, modules_shown
from mobile_bff.passkeys import PasskeyMutations, PasskeyType, passkeys
from mobile_bff.paying import (
    PaymentMutations,
    PaymentQueries,
    PaymentType,
    one_payment,
)
from mobile_bff.personal_rights.card_loss import CardMutations, CardQueries
from mobile_bff.personal_rights.chosen_institutions import ChoiceMutations, ChoiceQueries
from mobile_bff.personal_rights.chronic_disease import ChronicMutations, ChronicQueries
from mobile_bff.personal_rights.claim_progress import ClaimProgressMutations, ClaimQueries
from mobile_bff.personal_rights.enrolments import EnrolmentQueries, PersonType, person_type
from mobile_bff.personal_rights.personal_account import AccountQueries
from mobile_bff.personal_rights.phone_change import PhoneMutations
from mobile_bff.personal_rights.settlement_records import SettlementQueries
from mobile_bff.policy_info.local_policies import LocalPolicyQueries
from mobile_bff.policy_info.national_policies import PolicyQueries
from mobile_bff.policy_info.neighbour_policies import NeighbourPolicyQueries
from mobile_bff.policy_info.news_and_outages import OutageQueries
from mobile_bff.preferences import PreferenceMutations, PreferencesType, preferences
from mobile_bff.public_services.catalogue import CatalogueQueries
from mobile_bff.public_services.cross_region_filing import FilingMutations, FilingQueries
from mobile_bff.public_services.enrolment_guide import GuideQueries, RegisteringMutations
from mobile_bff.public_services.manual_claims import ClaimMutations
from mobile_bff.public_services.medical_institutions import InstitutionQueries
from mobile_bff.public_services.network_and_coordination import TicketMutations, TicketQueries
from mobile_bff.public_services.transfer_and_certificates import TransferMutations, TransferQueries
from mobile_bff.refunds import RefundMutations, RefundQueries
from mobile_bff.registration import RegistrationMutations
from mobile_bff.scalars import SCALARS
from mobile_bff.sign_in import SignInMutations
from mobile_bff.step_up import Device, StepUpMutations, devices
from mobile_bff.terminals.clinics import ClinicMutations
from mobile_bff.terminals.debts import TillDebtMutations
from mobile_bff.terminals.gateway import TerminalMutations, Till, till
from mobile_bff.terminals.hospital import HospitalMutations
from mobile_bff.terminals.matching import MatchingMutations
from mobile_bff.terminals.paying import TillPaymentMutations
from mobile_bff.terminals.prescriptions import TillPrescriptionMutations
from mobile_bff.terminals.ratings import TillRatingMutations
from mobile_bff.terminals.resolving import ResolvingMutations
from mobile_bff.terminals.statements import TillStatementMutations

_ = _wording


@strawberry.type(description="政策宣传: policy information.")
class PolicyInfo(OutageQueries, PolicyQueries, LocalPolicyQueries, NeighbourPolicyQueries):
    """The first group."""

    @strawberry.field(description="The modules of this group.")
    def modules(self, info: Info) -> list[AppModuleType]:
        """Return the group's modules."""
        return modules_shown("policy_info", info.context.locale)


@strawberry.type(description="公共服务: public services.")
class PublicServices(
    InstitutionQueries,
    CatalogueQueries,
    FilingQueries,
    ApplicationQueries,
    GuideQueries,
    TransferQueries,
    TicketQueries,
):
    """The second group."""

    @strawberry.field(description="The modules of this group.")
    def modules(self, info: Info) -> list[AppModuleType]:
        """Return the group's modules."""
        return modules_shown("public_services", info.context.locale)


@strawberry.type(description="个人权益: a person's own rights.")
class PersonalRights(
    EnrolmentQueries,
    AccountQueries,
    SettlementQueries,
    EstimateQueries,
    ChronicQueries,
    ChoiceQueries,
    CardQueries,
    ClaimQueries,
):
    """The third group, about one person."""

    @strawberry.field(description="The modules of this group.")
    def modules(self, info: Info) -> list[AppModuleType]:
        """Return the group's modules."""
        return modules_shown("personal_rights", info.context.locale)


@strawberry.type(description="移动支付: mobile payment.")
class MobilePayment(
    SecurityQueries, BillQueries, ChargeQueries, PaymentQueries, RefundQueries, AgreementQueries
):
    """The fourth group, about one person."""

    @strawberry.field(description="The modules of this group.")
    def modules(self, info: Info) -> list[AppModuleType]:
        """Return the group's modules."""
        return modules_shown("mobile_payment", info.context.locale)


@strawberry.type(description="惠民服务: benefits.")
class Benefits(
    FamilyQueries, SharingQueries, AppointmentQueries, PrescriptionQueries, CreditQueries
):
    """The fifth group, about the signed-in person."""

    @strawberry.field(description="The modules of this group.")
    def modules(self, info: Info) -> list[AppModuleType]:
        """Return the group's modules."""
        return modules_shown("benefits", info.context.locale)


@strawberry.type(description="举报投诉: complaints.")
class Complaints(RatingQueries, ComplaintQueries, ReportQueries):
    """The sixth group."""

    @strawberry.field(description="The modules of this group.")
    def modules(self, info: Info) -> list[AppModuleType]:
        """Return the group's modules."""
        return modules_shown("complaints", info.context.locale)


@strawberry.type(description="Reads.")
class Query(InboxQueries):
    """The roots: the viewer, any node, the modules, the six groups, and a terminal's till."""

    node: relay.Node | None = relay.node(
        description="Any object by its global id, if visible.", extensions=[ObjectsOnly()]
    )
    nodes: list[relay.Node | None] = relay.node(
        description="Objects by their global ids.", extensions=[ObjectsOnly()]
    )

    @strawberry.field(description="The signed-in person; null for anybody else.")
    async def viewer(self, info: Info) -> PersonType | None:
        """Return who has signed in."""
        actor = await info.context.actor()
        if not isinstance(actor, PersonActor):
            return None
        view = await info.context.door.read(lambda unit: people.person(unit, actor.person_id))
        return person_type(view)

    @strawberry.field(description="The app's six groups and 33 modules with their state.")
    def app_modules(self, info: Info) -> list[AppModuleGroupType]:
        """Return all groups."""
        return groups_shown(info.context.locale)

    @strawberry.field(description="政策宣传.")
    def policy_info(self) -> PolicyInfo:
        """Return the first group."""
        return PolicyInfo()

    @strawberry.field(description="公共服务.")
    def public_services(self) -> PublicServices:
        """Return the second group."""
        return PublicServices()

    @strawberry.field(description="个人权益 of the signed-in person.")
    async def personal_rights(
        self, info: Info, subject_id: strawberry.ID | None = None
    ) -> PersonalRights:
        """Return the third group about a person whom the caller may see."""
        return PersonalRights(subject=await info.context.person(Action.VIEW_RIGHTS, subject_id))

    @strawberry.field(description="移动支付 of the signed-in person.")
    async def mobile_payment(
        self, info: Info, subject_id: strawberry.ID | None = None
    ) -> MobilePayment:
        """Return the fourth group about a person whom the caller may see."""
        return MobilePayment(subject=await info.context.person(Action.VIEW_RIGHTS, subject_id))

    @strawberry.field(description="A payment, for its person, a relative, or its institution.")
    async def payment(self, info: Info, payment_id: strawberry.ID) -> PaymentType | None:
        """Return a payment as it stands now, or nothing."""
        return await one_payment(info, payment_id)

    @strawberry.field(description="惠民服务 of the signed-in person.")
    def benefits(self) -> Benefits:
        """Return the fifth group."""
        return Benefits()

    @strawberry.field(description="What to show the signed-in person first.")
    async def home(self, info: Info) -> Home:
        """Return the caller's home page."""
        return await home(info)

    @strawberry.field(description="What the signed-in person has chosen for every device.")
    async def preferences(self, info: Info) -> PreferencesType:
        """Return the caller's preferences."""
        return await preferences(info)

    @strawberry.field(description="举报投诉.")
    def complaints(self) -> Complaints:
        """Return the sixth group."""
        return Complaints()

    @strawberry.field(description="Where the signed-in person is signed in.")
    async def devices(self, info: Info) -> list[Device]:
        """Return the caller's devices."""
        return await devices(info)

    @strawberry.field(description="The signed-in person's passkeys.")
    async def passkeys(self, info: Info) -> list[PasskeyType]:
        """Return the caller's passkeys."""
        return await passkeys(info)

    @strawberry.field(description="What a signed-in terminal may look up.")
    async def till(self, info: Info) -> Till:
        """Return the caller's till."""
        return await till(info)


Mutation = merge_types(
    "Mutation",
    (
        SignInMutations,
        RegistrationMutations,
        StepUpMutations,
        PasskeyMutations,
        CodeMutations,
        IdentityCodeMutations,
        SecurityMutations,
        BillMutations,
        PaymentMutations,
        AgreementMutations,
        TillPaymentMutations,
        ChargeMutations,
        RefundMutations,
        RatingMutations,
        ComplaintMutations,
        ReportMutations,
        TillRatingMutations,
        AppointmentMutations,
        ClinicMutations,
        CreditMutations,
        TillDebtMutations,
        TillStatementMutations,
        PrescriptionMutations,
        TillPrescriptionMutations,
        FamilyMutations,
        FaceMutations,
        SharingMutations,
        ApplicationMutations,
        TicketMutations,
        FilingMutations,
        ChronicMutations,
        ChoiceMutations,
        RegisteringMutations,
        TransferMutations,
        CardMutations,
        ClaimMutations,
        ClaimProgressMutations,
        PhoneMutations,
        PreferenceMutations,
        InboxMutations,
        TerminalMutations,
        HospitalMutations,
        MatchingMutations,
        ResolvingMutations,
    ),
)
Mutation.__strawberry_definition__.description = "Writes: flat, verb first, one input, one union."  # type: ignore[attr-defined]


@strawberry.type(description="Live events.")
class Subscription(BillSubscriptions, HappeningSubscriptions):
    """What can be followed."""


@cache
def make_schema() -> strawberry.Schema:
    """Return the schema with its limits, the same one each time: relay fields serve for one alone."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        extensions=EXTENSIONS,
        config=StrawberryConfig(
            disable_field_suggestions=True, relay_max_results=PAGE_MAX, scalar_map=SCALARS
        ),
    )
