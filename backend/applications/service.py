"""What can be done with an application whatever its kind; the kind's procedure decides how."""

from __future__ import annotations

from typing import Any

from backend.choices.contracts import ChoiceNotPossible
from backend.choices.service import CHOICE, DOCTOR_TEAM
from backend.claims.applying import CLAIM
from backend.claims.contracts import ClaimInvalid, InvoiceClaimed
from backend.complaints.contracts import ComplaintNotPossible
from backend.complaints.service import COMPLAINT
from backend.enrolment.contracts import EnrolmentNotPossible
from backend.enrolment.registering import REGISTRATION
from backend.enrolment.transferring import TRANSFER
from backend.entitlements.applying import CHRONIC
from backend.entitlements.contracts import CapitationNotPossible, ChronicNotPossible
from backend.entitlements.signing import CAPITATION
from backend.filings.contracts import FilingNotPossible, PromiseLocked
from backend.filings.service import FILING, FILING_CANCEL
from backend.infra.database import Unit
from backend.kernel.errors import Refusal
from backend.matters import procedure
from backend.matters import queries as matters
from backend.matters.contracts import (
    ActOnMatter,
    ApplicationView,
    MatterEvent,
    MatterKind,
    MatterNotFound,
    MatterView,
    SubmitApplication,
)
from backend.matters.procedure import Procedure
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded

PROCEDURES: dict[MatterKind, Procedure[Any]] = {
    one.kind: one
    for one in (
        FILING,
        FILING_CANCEL,
        CHRONIC,
        CAPITATION,
        CLAIM,
        CHOICE,
        DOCTOR_TEAM,
        REGISTRATION,
        TRANSFER,
        COMPLAINT,
    )
}

EXPERT_KINDS = tuple(kind for kind, one in PROCEDURES.items() if one.experts is not None)
STANDING: tuple[type[Refusal], ...] = (
    FilingNotPossible,
    PromiseLocked,
    ChronicNotPossible,
    CapitationNotPossible,
    ClaimInvalid,
    InvoiceClaimed,
    ChoiceNotPossible,
    EnrolmentNotPossible,
    ComplaintNotPossible,
)
"""Why submitting may be refused by one kind or another, beside what every kind refuses."""


def look(unit: Unit, matter_id: str) -> ApplicationView | None:
    """Return an application with what submitting it takes. Before: the caller may see it."""
    matter = matters.matter(unit, matter_id)
    return None if matter is None else procedure.look(unit, PROCEDURES[matter.kind], matter)


def submit(unit: Unit, command: SubmitApplication) -> ApplicationView | Refusal:
    """Submit a draft, or what was missing, of whatever kind."""
    matter = matters.matter(unit, command.matter_id)
    if matter is None:
        return MatterNotFound()
    return procedure.submit(unit, PROCEDURES[matter.kind], command)


def withdraw(unit: Unit, command: ActOnMatter) -> MatterView | Refusal:
    """Take an application back that is not decided yet."""
    return procedure.withdraw(unit, command)


def appeal(unit: Unit, command: ActOnMatter) -> MatterView | Refusal:
    """Ask for another decision; somebody else gives it."""
    matter = matters.matter(unit, command.matter_id)
    if matter is None:
        return MatterNotFound()
    try:
        return procedure.appeal(unit, PROCEDURES[matter.kind], command)
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)


def decide(
    unit: Unit, by: str, matter: MatterView, event: MatterEvent, words: str
) -> MatterView | Refusal:
    """Let the agency decide; what its approval cannot bring about leaves everything as it was."""
    try:
        done = procedure.decide(unit, PROCEDURES[matter.kind], by, matter.id, event, words)
    except RuleMissing as missing:
        done = RuleNotLoaded(missing.region, missing.rule, missing.day)
    if isinstance(done, Refusal):
        unit.db.rollback()
    return done


def give_opinion(
    unit: Unit, by: str, matter: MatterView, meets: bool, words: str
) -> MatterView | Refusal:
    """Let an expert speak about an application."""
    try:
        kind = PROCEDURES[matter.kind]
        done = procedure.give_opinion(unit, kind, by, matter.id, meets, words)
    except RuleMissing as missing:
        done = RuleNotLoaded(missing.region, missing.rule, missing.day)
    if isinstance(done, Refusal):
        unit.db.rollback()
    return done
