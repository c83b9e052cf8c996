"""A1 国家与省级政策: documents of the nation and the province, found by what people type, and any one whole."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import strawberry

from backend.access.contracts import PersonActor
from backend.infra.database import Unit
from backend.infra.search import QUERY_MAX
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.people import queries as people
from backend.people.contracts import EnrolmentView
from backend.people.logic import paying_enrolment
from backend.policies import documents, logic
from backend.policies.document_contracts import (
    DocumentKind,
    DocumentState,
    DocumentView,
    FindDocuments,
    MeansForMe,
    PersonalLine,
)
from backend.policies.library import descriptions
from backend.regions.library import area_name
from backend.rulebook.library import NATION, rulebook
from mobile_bff.connections import BadInput, page_size
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "A1",
    "国家与省级政策",
    "国家政策",
    "National and provincial policies",
    ModuleState.AVAILABLE,
    "按说法、部分字或文号全文查询国家和省级政策，含摘要、生效日期、沿革和对本人的含义。",
)
_PROVINCE = "510000"
POLICIES = (DocumentKind.RULE, DocumentKind.NOTICE, DocumentKind.GUIDE)


class PolicyLevel(StrEnum):
    """Whose policy it is."""

    NATIONAL = "NATIONAL"
    PROVINCIAL = "PROVINCIAL"


strawberry.enum(PolicyLevel, description="Whose policy it is.")
for _value in PolicyLevel.__strawberry_definition__.values:  # type: ignore[attr-defined]
    _value.description = {"NATIONAL": "国家.", "PROVINCIAL": "省级."}[_value.name]


@strawberry.type(name="PolicyDocument", description="A policy document, a guide or news.")
class PolicyDocumentType:
    """A document as a list shows it."""

    code: str = strawberry.field(description="Its code, for good.")
    kind: DocumentKind = strawberry.field(description="What it is.")
    state: DocumentState = strawberry.field(description="Where it stands.")
    region: str = strawberry.field(description="CN, a province or an insured area.")
    region_name: str = strawberry.field(description="Its name.")
    title: str = strawberry.field(description="Its title.")
    issuer: str = strawberry.field(description="Who issued it; empty: not known.")
    number: str = strawberry.field(description="Its official number; empty: none.")
    effective_from: date = strawberry.field(description="From which day.")
    effective_until: date | None = strawberry.field(description="Until which day; null: no end.")
    in_force: bool = strawberry.field(description="Whether it holds today.")
    summary: str = strawberry.field(description="In a sentence, also to read aloud.")
    source: str = strawberry.field(description="Where it was found; may be empty.")
    provisional: bool = strawberry.field(
        description="Whether a number of it rests on no official text."
    )


@strawberry.type(name="PersonalRule", description="What a rule says for the person who asks.")
class PersonalRuleType:
    """A number, and for which kind of place."""

    what: str = strawberry.field(description="What it is.")
    where: str = strawberry.field(description="For which kind of place; empty: everywhere.")
    value: str = strawberry.field(description="What it comes to.")
    provisional: bool = strawberry.field(description="Whether it rests on no official text.")


@strawberry.type(description="What a document means for the person who asks.")
class MeansForMeType:
    """Whether it concerns them, and what it says for them."""

    answer: MeansForMe = strawberry.field(description="Whether it concerns them.")
    status: Status = strawberry.field(description="The same in words.")
    rules: list[PersonalRuleType] = strawberry.field(description="What its rules say for them.")


@strawberry.type(description="A document, whole.")
class PolicyPage:
    """Its text, what it superseded, and what it means for the person who asks."""

    document: PolicyDocumentType = strawberry.field(description="The document.")
    body: str = strawberry.field(description="Its text, line by line.")
    chain: list[PolicyDocumentType] = strawberry.field(
        description="What it superseded, itself, and what superseded it, the oldest first."
    )
    for_me: MeansForMeType | None = strawberry.field(
        description="What it means for the signed-in person; null for anybody else."
    )


def document_shown(view: DocumentView, today: date) -> PolicyDocumentType:
    """Return a document for the schema."""
    return PolicyDocumentType(
        code=view.code,
        kind=view.kind,
        state=view.state,
        region=view.region,
        region_name="全国" if view.region == NATION else area_name(view.region),
        title=view.title,
        issuer=view.issuer,
        number=view.number,
        effective_from=view.effective_from,
        effective_until=view.effective_until,
        in_force=documents.is_in_force(view, today),
        summary=view.summary,
        source=view.source,
        provisional=view.provisional,
    )


async def found(info: Info, wanted: FindDocuments, first: int | None) -> list[PolicyDocumentType]:
    """Return documents that fit."""
    size = page_size(first)
    if len(wanted.text) > QUERY_MAX:
        raise BadInput(f"text has at most {QUERY_MAX} characters")

    def read(unit: Unit) -> list[PolicyDocumentType]:
        today = local_day(unit.now)
        return [document_shown(one, today) for one in documents.find(unit, wanted, size)]

    return await info.context.door.read(read)


def _page(unit: Unit, view: DocumentView, person_id: str | None, locale: Locale) -> PolicyPage:
    today = local_day(unit.now)
    mine = None
    if person_id is not None:
        enrolment = paying_enrolment(people.enrolments_on(unit, person_id, today))
        mine = _mine(view, enrolment, today, locale)
    return PolicyPage(
        document=document_shown(view, today),
        body=view.body,
        chain=[document_shown(one, today) for one in documents.chain(unit, view)],
        for_me=mine,
    )


def _mine(
    view: DocumentView, enrolment: EnrolmentView | None, today: date, locale: Locale
) -> MeansForMeType:
    answer = logic.means(view, enrolment, today)
    lines: list[PersonalLine] = []
    if answer is MeansForMe.APPLIES and enrolment is not None and view.topic:
        known = descriptions(view.topic)
        lines = logic.personal(view.topic, known, enrolment, today, rulebook())
    return MeansForMeType(
        answer=answer,
        status=status(answer, locale),
        rules=[PersonalRuleType(**vars(line)) for line in lines],
    )


@strawberry.type
class PolicyQueries:
    """What anybody may read."""

    @strawberry.field(
        description="National and provincial policies: what a text finds best, else the newest."
    )
    async def policies(
        self,
        info: Info,
        text: str | None = "",
        level: PolicyLevel | None = None,
        past_too: bool | None = False,
        first: int | None = None,
    ) -> list[PolicyDocumentType]:
        """Return policies of a level, of both by default."""
        regions = {
            PolicyLevel.NATIONAL: (NATION,),
            PolicyLevel.PROVINCIAL: (_PROVINCE,),
            None: (NATION, _PROVINCE),
        }[level]
        wanted = FindDocuments(text or "", regions, kinds=POLICIES, past_too=bool(past_too))
        return await found(info, wanted, first)

    @strawberry.field(
        description="One document, whole, of whatever region; null where there is none."
    )
    async def policy(self, info: Info, code: str) -> PolicyPage | None:
        """Return a document."""
        actor = await info.context.actor()
        person_id = actor.person_id if isinstance(actor, PersonActor) else None

        def read(unit: Unit) -> PolicyPage | None:
            view = documents.document(unit, code)
            return None if view is None else _page(unit, view, person_id, info.context.locale)

        return await info.context.door.read(read)
