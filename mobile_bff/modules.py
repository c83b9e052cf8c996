"""The app's 33 modules in their six groups, each declared in the file that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module

import strawberry

from backend.kernel.errors import Locale


class ModuleState(StrEnum):
    """How much of a module works."""

    AVAILABLE = "AVAILABLE"
    PARTIAL = "PARTIAL"
    PLANNED = "PLANNED"


strawberry.enum(ModuleState, description="How much of a module works.")
for _value in ModuleState.__strawberry_definition__.values:  # type: ignore[attr-defined]
    _value.description = {
        "AVAILABLE": "All of it works.",
        "PARTIAL": "Some of it works; the summary says what.",
        "PLANNED": "Its place is decided; nothing of it works yet.",
    }[_value.name]


@dataclass(frozen=True)
class AppModule:
    """A module's card. ``short`` has at most eight characters, for the elder home page."""

    id: str
    zh: str
    short: str
    en: str
    state: ModuleState
    summary: str


@dataclass(frozen=True)
class AppGroup:
    """One of the six groups, with the files of its modules in order."""

    folder: str
    zh: str
    en: str
    files: tuple[str, ...]


GROUPS = (
    AppGroup(
        "policy_info",
        "政策宣传",
        "Policy information",
        ("national_policies", "local_policies", "neighbour_policies", "news_and_outages"),
    ),
    AppGroup(
        "public_services",
        "公共服务",
        "Public services",
        (
            "medical_institutions",
            "pharmacies",
            "catalogue",
            "cross_region_filing",
            "network_and_coordination",
            "enrolment_guide",
            "transfer_and_certificates",
            "manual_claims",
        ),
    ),
    AppGroup(
        "personal_rights",
        "个人权益",
        "Personal rights",
        (
            "enrolments",
            "personal_account",
            "settlement_records",
            "claim_progress",
            "chronic_disease",
            "chosen_institutions",
            "card_loss",
            "phone_change",
        ),
    ),
    AppGroup(
        "mobile_payment",
        "移动支付",
        "Mobile payment",
        (
            "unified_code",
            "outpatient_settlement",
            "pharmacy_purchase",
            "payment_security",
            "bills_and_refunds",
        ),
    ),
    AppGroup(
        "benefits",
        "惠民服务",
        "Benefits",
        (
            "appointments",
            "family_accounts",
            "family_sharing",
            "prescriptions",
            "credit_care",
        ),
    ),
    AppGroup(
        "complaints",
        "举报投诉",
        "Complaints",
        ("service_ratings", "complaints_and_suggestions", "real_name_reports"),
    ),
)


def modules_of(group: AppGroup) -> list[AppModule]:
    """Return the cards of a group's modules."""
    return [import_module(f"mobile_bff.{group.folder}.{file}").MODULE for file in group.files]


@strawberry.type(name="AppModule", description="One of the app's 33 modules.")
class AppModuleType:
    """A module as the app lists it."""

    id: strawberry.ID = strawberry.field(description="Its letter and number, such as D3.")
    title: str = strawberry.field(description="Its title.")
    short_title: str = strawberry.field(
        description="A Chinese title of at most eight characters, for the elder home page."
    )
    state: ModuleState = strawberry.field(description="How much of it works.")
    summary: str = strawberry.field(description="What works of it so far.")


@strawberry.type(name="AppModuleGroup", description="One of the app's six groups.")
class AppModuleGroupType:
    """A group as the app lists it."""

    title: str = strawberry.field(description="Its title.")
    modules: list[AppModuleType] = strawberry.field(description="Its modules, in order.")


def groups_shown(locale: Locale) -> list[AppModuleGroupType]:
    """Return all groups with their modules."""
    return [
        AppModuleGroupType(
            title=group.zh if locale is Locale.ZH else group.en,
            modules=modules_shown(group.folder, locale),
        )
        for group in GROUPS
    ]


def modules_shown(folder: str, locale: Locale) -> list[AppModuleType]:
    """Return the modules of one group."""
    group = next(group for group in GROUPS if group.folder == folder)
    return [
        AppModuleType(
            id=strawberry.ID(module.id),
            title=module.zh if locale is Locale.ZH else module.en,
            short_title=module.short,
            state=module.state,
            summary=module.summary,
        )
        for module in modules_of(group)
    ]
