"""办件: applications as the app and the desk show them."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from backend.kernel.errors import Locale
from backend.matters.contracts import (
    MaterialVerdict,
    MaterialView,
    MatterKind,
    MatterState,
    MatterView,
    Party,
    Requirement,
)
from backend.regions.library import area_name
from mobile_bff.matter_words import OF_KIND
from mobile_bff.wording import Status, said, status


@strawberry.type(name="Material", description="A paper that was uploaded.")
class MaterialType:
    """A paper; its content is at ``/materials/<id>/content``."""

    material_id: strawberry.ID = strawberry.field(description="Its id.")
    requirement: Requirement = strawberry.field(description="What it shows.")
    requirement_text: str = strawberry.field(description="What it shows, in words.")
    name: str = strawberry.field(description="Its name, for display only.")
    content_type: str = strawberry.field(description="What it really is.")
    size: int = strawberry.field(description="Bytes.")
    verdict: MaterialVerdict | None = strawberry.field(description="What the desk says of it.")
    reason: str = strawberry.field(description="Why it will not do; else empty.")


@strawberry.type(name="MatterStep", description="Something that happened to an application.")
class MatterStepType:
    """One step, in plain words."""

    at: datetime = strawberry.field(description="When.")
    party: Party = strawberry.field(description="Whose act it was.")
    text: str = strawberry.field(description="What happened, in words.")
    words: str = strawberry.field(description="What was said with it; may be empty.")


@strawberry.type(name="Matter", description="An application (办件).")
class MatterType:
    """Number, state, promised day, papers and steps."""

    matter_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="Its number, to quote on the phone.")
    kind: MatterKind = strawberry.field(description="What is applied for.")
    kind_text: str = strawberry.field(description="What is applied for, in words.")
    state: MatterState = strawberry.field(description="Where it stands.")
    status: Status = strawberry.field(description="Where it stands, in words.")
    area_name: str = strawberry.field(description="The insured area whose agency works on it.")
    relation: str = strawberry.field(
        description="What the person is to the relative who filed; empty: filed themselves."
    )
    started_at: datetime = strawberry.field(description="When the draft was begun.")
    submitted_at: datetime | None = strawberry.field(description="When it was submitted.")
    promised_on: date | None = strawberry.field(
        description="The day by which it is decided, pauses counted; null: not waiting."
    )
    promised_is_provisional: bool = strawberry.field(
        description="Whether that year's holidays are not announced yet."
    )
    kept_until: datetime | None = strawberry.field(
        description="Until when a draft or a request for papers is kept."
    )
    materials: list[MaterialType] = strawberry.field(description="Its papers.")
    steps: list[MatterStepType] = strawberry.field(description="What happened, in order.")


def matter_type(view: MatterView, locale: Locale) -> MatterType:
    """Return an application for the schema."""
    return MatterType(
        matter_id=strawberry.ID(view.id),
        number=view.number,
        kind=view.kind,
        kind_text=status(view.kind, locale).text,
        state=view.state,
        status=_state(view, locale),
        area_name=area_name(view.area_code),
        relation=view.relation,
        started_at=view.started_at,
        submitted_at=view.submitted_at,
        promised_on=view.due_on,
        promised_is_provisional=view.due_is_provisional,
        kept_until=view.expires_at,
        materials=[material_type(one, locale) for one in view.materials],
        steps=[
            MatterStepType(
                at=step.at,
                party=step.party,
                text=status(step.event, locale).text,
                words=step.words,
            )
            for step in view.steps
        ],
    )


def _state(view: MatterView, locale: Locale) -> Status:
    own = OF_KIND.get((view.kind, view.state))
    return status(view.state, locale) if own is None else said(view.state, own, locale)


def material_type(view: MaterialView, locale: Locale) -> MaterialType:
    """Return a paper for the schema."""
    return MaterialType(
        material_id=strawberry.ID(view.id),
        requirement=view.requirement,
        requirement_text=view.requirement.text(locale),
        name=view.name,
        content_type=view.content_type,
        size=view.size,
        verdict=view.verdict,
        reason=view.reason,
    )
