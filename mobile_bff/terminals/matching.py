"""三目比对 at the gateway: an institution uploads its own items and sees what they are matched with."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from backend.catalogue import service
from backend.catalogue.contracts import (
    ItemKind,
    ItemsInvalid,
    ItemsUploaded,
    LocalItem,
    LocalItemView,
    MatchCandidate,
    MatchState,
    UploadItems,
)
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union


@strawberry.type(name="MatchCandidate", description="A national item that a local one may be.")
class MatchCandidateType:
    """A proposal with its score."""

    code: str = strawberry.field(description="National code.")
    name: str = strawberry.field(description="Its name.")
    dosage_form: str = strawberry.field(description="Its dosage form.")
    specification: str = strawberry.field(description="Its specification.")
    score: int = strawberry.field(description="How alike, from 0 to 100.")
    contradicted: bool = strawberry.field(
        description="Whether a strength, a pack or the form says that it is another one."
    )


@strawberry.type(name="LocalItem", description="An item as an institution lists it itself.")
class LocalItemType:
    """A local item as it stands."""

    local_item_id: strawberry.ID = strawberry.field(description="Its id.")
    local_code: str = strawberry.field(description="The institution's code.")
    name: str = strawberry.field(description="The institution's name of it.")
    dosage_form: str = strawberry.field(description="Dosage form; empty where none is given.")
    specification: str = strawberry.field(description="Specification; empty where none is given.")
    state: MatchState = strawberry.field(description="Where it stands.")
    code: str | None = strawberry.field(description="National code that bills settle by; or null.")
    score: int = strawberry.field(description="Score of the likeliest candidate.")
    decided_by: str = strawberry.field(description="Who decided; empty while queued.")
    effective_from: date | None = strawberry.field(description="From which day; null while queued.")
    candidates: list[MatchCandidateType] = strawberry.field(
        description="The likeliest, best first."
    )


def local_item_type(view: LocalItemView) -> LocalItemType:
    """Return a local item for the schema."""
    return LocalItemType(
        local_item_id=strawberry.ID(view.id),
        local_code=view.item.local_code,
        name=view.item.name,
        dosage_form=view.item.dosage_form,
        specification=view.item.specification,
        state=view.state,
        code=view.code,
        score=view.score,
        decided_by=view.decided_by,
        effective_from=view.effective_from,
        candidates=[_candidate(candidate) for candidate in view.candidates],
    )


def _candidate(candidate: MatchCandidate) -> MatchCandidateType:
    return MatchCandidateType(
        code=candidate.code,
        name=candidate.name,
        dosage_form=candidate.dosage_form,
        specification=candidate.specification,
        score=candidate.score,
        contradicted=candidate.contradicted,
    )


@strawberry.type(description="What became of an upload.")
class LocalItemsUploaded:
    """The items in the order in which they were sent."""

    items: list[LocalItemType] = strawberry.field(description="Each item with its match.")


@strawberry.input(description="An item of an institution's own list.")
class LocalItemInput:
    """A local item."""

    local_code: str = strawberry.field(description="The institution's code.")
    kind: ItemKind = strawberry.field(description="Which catalogue it belongs to.")
    name: str = strawberry.field(description="Name, with or without brand.")
    dosage_form: str = strawberry.field(description="Dosage form.", default="")
    specification: str = strawberry.field(description="Specification: 0.25g×24.", default="")
    maker: str = strawberry.field(description="Maker.", default="")
    national_code: str = strawberry.field(
        description="The national code that the institution believes it has.", default=""
    )


@strawberry.input(description="Uploads an institution's own items, at most 200 at a time.")
class UploadLocalItemsInput:
    """A list."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    items: list[LocalItemInput] = strawberry.field(description="The items.")


@strawberry.type
class MatchingMutations:
    """What an institution may do about its own list."""

    @strawberry.mutation(
        description="Upload own items: sure matches are taken, the others wait for a person.",
        graphql_type=result_union(
            "UploadLocalItemsResult", LocalItemsUploaded, (*KEYED, ItemsInvalid)
        ),
    )
    async def upload_local_items(self, info: Info, input: UploadLocalItemsInput) -> Any:
        """Upload a list."""
        items = tuple(
            LocalItem(
                item.local_code[:60],
                item.kind,
                item.name[:200],
                item.dosage_form[:60],
                item.specification[:100],
                item.maker[:100],
                item.national_code[:60],
            )
            for item in input.items
        )
        outcome = await info.context.act(
            service.upload_items, lambda actor: UploadItems(actor, items, input.request_id)
        )

        def shown(uploaded: ItemsUploaded) -> LocalItemsUploaded:
            return LocalItemsUploaded(items=[local_item_type(view) for view in uploaded.items])

        return answer(outcome, info.context.locale, shown)
