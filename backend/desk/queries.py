"""Reads of the desk, each bounded to the regions where somebody has a duty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from pydantic import TypeAdapter
from sqlmodel import col, select

from backend.access.contracts import Role, StaffActor
from backend.access.logic import label, regions_of, serves
from backend.applications import service as applications
from backend.desk.contracts import (
    ActKind,
    AskQueue,
    HeldByAnother,
    Holding,
    MatterAtDesk,
    Payload,
    ProposalState,
    ProposalView,
    Work,
)
from backend.desk.model import Proposal
from backend.filings import queries as filing_queries
from backend.filings import service as filings
from backend.identity import registration
from backend.infra.database import Unit
from backend.infra.journal import read_content
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.matters import figures, opinions, procedure
from backend.matters import queries as matters
from backend.matters.contracts import AT_THE_AGENCY, MatterKind, MatterState, MatterView
from backend.matters.load_contracts import Workload
from backend.payments import queries as payments
from backend.people import queries as people
from backend.people.document_contracts import DuplicateState
from backend.proxies import queries as bindings

PAYLOAD = TypeAdapter(Payload)
_FILINGS = (MatterKind.FILING, MatterKind.FILING_CANCEL)
_WAITING = (DuplicateState.OPEN, DuplicateState.PROPOSED)


def work(unit: Unit, actor: StaffActor, limit: int) -> Work:
    """Return what waits for somebody, the oldest first of each kind."""
    deciding = (Role.CLERK, Role.CHECKER)
    regions = sorted({duty.region for duty in actor.duties if duty.role in deciding})
    return Work(
        bindings=tuple(bindings.waiting_for_review(unit, limit, regions)),
        registrations=tuple(registration.waiting(unit, limit, regions)),
        duplicates=tuple(people.duplicates(unit, _WAITING, limit, regions)),
        proposals=tuple(proposals(unit, limit, regions)),
        matters=tuple(
            matters_at_desk(
                unit,
                matters.waiting(
                    unit, regions_of(actor.duties, Role.CLERK), applications.EXPERT_KINDS, limit
                ),
            )
        ),
        for_experts=tuple(
            matters_at_desk(
                unit,
                matters.for_expert(
                    unit,
                    label(actor),
                    regions_of(actor.duties, Role.EXPERT),
                    applications.EXPERT_KINDS,
                    limit,
                ),
            )
        ),
        unpaid=tuple(
            matters_at_desk(
                unit, matters.unpaid(unit, regions_of(actor.duties, Role.CHECKER), limit)
            )
        ),
        failed_uploads=tuple(filing_queries.failed_uploads(unit, regions, limit)),
        misuse=tuple(payments.misuse_reports(unit, limit, regions_of(actor.duties, Role.CHECKER))),
    )


def queue(unit: Unit, actor: StaffActor, asked: AskQueue) -> list[MatterAtDesk]:
    """Return what waits where somebody is a clerk or a supervisor, the longest waiting first."""
    regions = sorted({d.region for d in actor.duties if d.role in (Role.CLERK, Role.SUPERVISOR)})
    holder = {Holding.ANY: None, Holding.MINE: label(actor), Holding.FREE: ""}[asked.holding]
    found = matters.queue(unit, regions, asked.kind, holder, asked.after, asked.limit)
    return matters_at_desk(unit, found)


def workload(unit: Unit, actor: StaffActor, region: str, days: int) -> Workload | Refusal:
    """Return how much there is to do in a region, and what was done there, to who supervises it."""
    refusal = serves(actor, Role.SUPERVISOR, (region,))
    return figures.workload(unit, (region,), days) if refusal is None else refusal


def held_by_another(unit: Unit, by: str, matter: MatterView) -> HeldByAnother | None:
    """Return why an application is not somebody's to work on, ``None`` where it is."""
    if matter.holder is None or matter.held_at is None or matter.holder == by:
        return None
    until = matter.held_at + timedelta(hours=unit.settings.matter_hold_hours)
    if until <= unit.now:
        return None
    return HeldByAnother(matter.holder.removeprefix("staff:"), matter.held_at)


def matters_at_desk(unit: Unit, found: Sequence[MatterView]) -> list[MatterAtDesk]:
    """Return applications with whose they are and what they file, as many reads for one as for all."""
    held = people.prefetch(unit, [p for one in found for p in (one.person_id, one.applicant_id)])
    filed = filings.applications(unit, [one for one in found if one.kind in _FILINGS])
    files = {one.matter.id: one for one in filed}
    found_out = [one.id for one in found if one.state is not MatterState.SUBMITTED]
    said, today = opinions.of_matters(unit, found_out), local_day(unit.now)
    views = [
        MatterAtDesk(
            matter,
            people.person(unit, matter.person_id),
            people.person(unit, matter.applicant_id),
            files.get(matter.id),
            tuple(said.get(matter.id, ())),
            days_waiting=_days_waiting(matter, today),
            overdue=matter.due_on is not None and matter.due_on < today,
        )
        for matter in found
    ]
    del held
    return views


def _days_waiting(matter: MatterView, today: date) -> int | None:
    if matter.state not in AT_THE_AGENCY or matter.submitted_at is None:
        return None
    return (today - local_day(matter.submitted_at)).days


def matter_at_desk(unit: Unit, matter: MatterView) -> MatterAtDesk:
    """Return an application with whose it is, what it files, and what its form names."""
    names = procedure.names_in(unit, applications.PROCEDURES[matter.kind], matter)
    return replace(matters_at_desk(unit, [matter])[0], names=names)


def proposals(unit: Unit, limit: int, regions: Sequence[str]) -> list[ProposalView]:
    """Return what waits for a second person in some regions, the oldest first."""
    rows = unit.db.exec(
        select(Proposal)
        .where(Proposal.state == ProposalState.PROPOSED)
        .where(col(Proposal.person_id).in_(people.insured_within(regions)))
        .order_by(col(Proposal.id))
        .limit(limit)
    ).all()
    held = people.prefetch(unit, [row.person_id for row in rows])
    views = [view(unit, row) for row in rows]
    del held
    return views


def view(unit: Unit, row: Proposal) -> ProposalView:
    """Return the view of a row, what it is about opened."""
    return ProposalView(
        id=row.id,
        kind=ActKind(row.kind),
        state=ProposalState(row.state),
        person=people.person(unit, row.person_id),
        payload=payload(unit, row),
        words=row.words,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def payload(unit: Unit, row: Proposal) -> Payload:
    """Return what a proposal is about."""
    return read_content(PAYLOAD, unit.vault.open(row.payload, f"proposal:{row.id}"))
