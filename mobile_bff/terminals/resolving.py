"""``resolveCode``: whose code of any kind a terminal has scanned, or whose identity card it has read."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import TerminalActor
from backend.codes.contracts import (
    Authority,
    CodeKind,
    CodeOfOtherAuthority,
    CodeRevoked,
    DocumentDiffers,
    IdCardReading,
    InsuredElsewhere,
    NationalAnswer,
    NationalPlatformSilent,
    Purpose,
)
from backend.identity.face_contracts import FaceCheckUnknown
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.errors import Locale
from backend.payments import resolving
from backend.payments.contracts import ResolveCode, ResolvedCode
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.national_platform import Asking
from mobile_bff.personal_rights.enrolments import PersonType, person_type
from mobile_bff.terminals.gateway import SCAN, DecodedCode, decoded
from mobile_bff.words import Words

_GO_ON = Words("可以继续办理。", "Go on.")
_COMPARE = Words(
    "请读取持码人的身份证，或由其刷脸；相符后再办理。",
    "Read the holder's identity card or check the face; go on once it is the same person's.",
)
_NO_ACCOUNT = Words(
    "身份相符，可以继续办理；只凭身份办理时不使用个人账户。",
    "It is the same person; go on. On identity alone no account pays.",
)


@strawberry.input(description="What the reader has read off a resident identity card.")
class IdCardInput:
    """A reading."""

    name: str = strawberry.field(description="The name on the card.")
    id_number: str = strawberry.field(description="The number on the card.")


@strawberry.input(description="A code of any kind, an identity card, or both.")
class ResolveCodeInput:
    """What was scanned or read."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    text: str = strawberry.field(
        description="The scanned text; empty for a card alone.", default=""
    )
    id_card: IdCardInput | None = strawberry.field(
        description="The reading of an identity card.", default=None
    )
    purpose: Purpose = strawberry.field(description="What for.")
    face_check_id: strawberry.ID = strawberry.field(
        description="A check of the holder's face that passed at this terminal, in place of the card.",
        default=strawberry.ID(""),
    )


@strawberry.type(name="ResolvedCode", description="Whose code it is, and who says so.")
class ResolvedCodeType:
    """The holder."""

    kind: CodeKind = strawberry.field(description="Which kind of code it is.")
    authority: Authority = strawberry.field(description="Who knows whose it is.")
    person: PersonType = strawberry.field(description="The holder, masked.")
    confirmed: bool = strawberry.field(
        description="Whether an identity card or the face was compared and is the same person's."
    )
    scanned: DecodedCode | None = strawberry.field(
        description="The token to go on with; null until the holder is confirmed."
    )
    next_action: str = strawberry.field(description="What to do next.")


def _shown(found: ResolvedCode, locale: Locale) -> ResolvedCodeType:
    unified = found.kind is CodeKind.UNIFIED
    following = _GO_ON if unified else _NO_ACCOUNT if found.confirmed else _COMPARE
    return ResolvedCodeType(
        kind=found.kind,
        authority=found.authority,
        person=person_type(found.person),
        confirmed=found.confirmed,
        scanned=None if found.scanned is None else decoded(found.scanned, locale),
        next_action=following.text(locale),
    )


async def _national(info: Info, text: str, purpose: Purpose) -> NationalAnswer | None:
    """Ask the national platform about a code of its own, for a till that may."""
    context = info.context
    actor = await context.actor()
    if not isinstance(actor, TerminalActor):
        return None

    def read(unit: Unit) -> Asking | None:
        if not resolving.is_national(unit, text):
            return None
        place = institutions.institution(unit, actor.institution_id)
        return Asking(place.code, actor.operator_id, purpose)

    asking = await context.door.read(read)
    return None if asking is None else await context.national.decode(text, asking)


@strawberry.type
class ResolvingMutations:
    """Telling codes apart."""

    @strawberry.mutation(
        description="Tell whose code of any kind it is; with an identity card, go on by it.",
        graphql_type=result_union(
            "ResolveCodeResult",
            ResolvedCodeType,
            (
                *SCAN,
                CodeOfOtherAuthority,
                CodeRevoked,
                DocumentDiffers,
                FaceCheckUnknown,
                NationalPlatformSilent,
                InsuredElsewhere,
            ),
        ),
    )
    async def resolve_code(self, info: Info, input: ResolveCodeInput) -> Any:
        """Resolve a code."""
        card = None
        if input.id_card is not None:
            card = IdCardReading(input.id_card.name, input.id_card.id_number)
        text = input.text.strip()
        national = None if card else await _national(info, text, input.purpose)
        outcome = await info.context.act(
            lambda unit, command: resolving.resolve_code(unit, command, national),
            lambda actor: ResolveCode(
                actor, text, card, input.purpose, input.request_id, input.face_check_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda found: _shown(found, locale))
