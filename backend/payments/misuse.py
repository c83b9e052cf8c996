"""不是我: one tap freezes the account, signs other devices out, and opens a report."""

from __future__ import annotations

from sqlmodel import select

from backend.access.contracts import PersonActor, SignInRequired
from backend.access.logic import label
from backend.codes import identities
from backend.identity import safety
from backend.infra import audit
from backend.infra.database import Unit
from backend.infra.idempotency import once
from backend.kernel.errors import Refusal
from backend.payments import queries
from backend.payments.contracts import MisuseView, ReportNotMe, SettlementNotFound
from backend.payments.model import MisuseReport
from backend.people import queries as people
from backend.settlement import queries as settlements


def report_not_me(unit: Unit, command: ReportNotMe) -> MisuseView | Refusal:
    """Freeze the caller's account over a settlement of theirs, and open a report. Twice is no error.

    Needs no proof: whoever stops money only stops it. Lifting the freeze needs one.
    """
    actor = command.actor
    if not isinstance(actor, PersonActor):
        return SignInRequired()
    return once(
        unit,
        f"report_not_me:{label(actor)}",
        command.request_id,
        command,
        (MisuseView,),
        lambda: _report(unit, command, actor),
    )


def _report(unit: Unit, command: ReportNotMe, actor: PersonActor) -> MisuseView | Refusal:
    found = settlements.settlement(unit, command.settlement_id)
    if found is None or found.person_id != actor.person_id:
        return SettlementNotFound()
    people.lock_person(unit, actor.person_id)
    known = select(MisuseReport).where(MisuseReport.settlement_id == found.id)
    row = unit.db.exec(known).first()
    if row is not None:
        return queries.misuse_view(unit, row)
    report_id = unit.new_id()
    row = MisuseReport(
        id=report_id,
        settlement_id=found.id,
        person_id=actor.person_id,
        words=unit.vault.seal(command.words[:500], f"misuse:{report_id}"),
        reported_at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    safety.freeze(unit, actor.person_id, "不是我", label(actor))
    safety.end_others(unit, actor, "misuse was reported")
    identities.revoke_all(unit, actor.person_id)
    facts = {"report": row.id, "settlement": found.id}
    audit.record(unit, label(actor), "misuse.report", f"person:{actor.person_id}", facts)
    return queries.misuse_view(unit, row)
