"""转诊: a chosen institution, or that of the doctor team, sends a patient on; a bill there counts as theirs."""

from __future__ import annotations

from datetime import timedelta

from backend.access.contracts import NotPermitted, TerminalActor
from backend.access.logic import label
from backend.choices import queries
from backend.choices.contracts import (
    ReferPatient,
    ReferralNotPossible,
    ReferralProblem,
    ReferralView,
)
from backend.choices.model import Referral
from backend.codes import service as codes
from backend.codes.contracts import GrantNotValid
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.institutions import queries as institutions
from backend.institutions.contracts import Agreement, InstitutionKind
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.notices.service import tell
from backend.people import queries as people
from backend.people.logic import paying_enrolment
from backend.rulebook.contracts import RuleMissing, RuleNotLoaded
from backend.rulebook.library import rulebook

_P = ReferralProblem
_REASON_MAX = 200


def refer(unit: Unit, command: ReferPatient) -> ReferralView | Refusal:
    """Refer the patient whose code was scanned. The scan stays good for the bill of the visit."""
    actor = command.actor
    if not isinstance(actor, TerminalActor):
        return NotPermitted("REFER")
    scope = f"refer:{actor.terminal_id}"
    return once(
        unit,
        scope,
        command.request_id,
        command,
        (ReferralView,),
        lambda: _referred(unit, command, actor),
    )


def _referred(
    unit: Unit, command: ReferPatient, actor: TerminalActor
) -> ReferralView | GrantNotValid | ReferralNotPossible | RuleNotLoaded:
    grant = codes.open_grant(unit, command.token, actor.terminal_id)
    if isinstance(grant, GrantNotValid):
        return grant
    today = local_day(unit.now)
    enrolment = paying_enrolment(people.enrolments_on(unit, grant.person_id, today))
    if enrolment is None:
        return ReferralNotPossible(_P.NOT_INSURED)
    if actor.institution_id not in queries.own_places(unit, enrolment.id, today):
        return ReferralNotPossible(_P.NOT_CHOSEN)
    to = institutions.by_code(unit, command.to_code)
    if (
        to is None
        or to.kind is not InstitutionKind.HOSPITAL
        or to.agreement is not Agreement.OPEN
        or to.id == actor.institution_id
    ):
        return ReferralNotPossible(_P.NO_PLACE)
    reason = command.reason.strip()[:_REASON_MAX]
    if not reason:
        return ReferralNotPossible(_P.REASON)
    try:
        days = rulebook().find(enrolment.area_code, "choices.referral_days", today).count
    except RuleMissing as missing:
        return RuleNotLoaded(missing.region, missing.rule, missing.day)
    referral_id = unit.new_id()
    row = Referral(
        id=referral_id,
        enrolment_id=enrolment.id,
        from_institution_id=actor.institution_id,
        to_institution_id=to.id,
        starts=today,
        ends=today + timedelta(days=days),
        reason=unit.vault.seal(reason, f"referral:{referral_id}"),
        made_by=label(actor),
        made_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"referral": row.id, "institution": to.id}
    audit.record(unit, row.made_by, "referral.make", f"person:{grant.person_id}", facts)
    tell(unit, grant.person_id, "referred", {"institution": to.name, "until": str(row.ends)})
    return queries.referral_of(unit, row)
