"""Codes that prove who somebody is and pay nothing: health card, signed code, printed code."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from anyio import to_thread

from backend.access.contracts import NotPermitted, SignInRequired
from backend.access.logic import own_id
from backend.codes import identities
from backend.codes.contracts import (
    HealthCard,
    IdentityCodesRevoked,
    IssueIdentityCode,
    MakePrintedCode,
    PrintedIdentity,
    RevokeIdentityCodes,
    ShowHealthCard,
    SignedIdentity,
)
from backend.identity.safety_contracts import AccountFrozen
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.mobile_payment.unified_code import svg_of

_REFUSALS = (SignInRequired, NotPermitted, AccountFrozen)


@strawberry.type(name="HealthCard", description="The electronic health card 居民电子健康卡.")
class HealthCardType:
    """A card."""

    card_id: str = strawberry.field(description="Its number, 64 hexadecimal digits.")
    text: str = strawberry.field(description="What its QR code says; parts separated by colons.")
    valid_until: datetime | None = strawberry.field(description="Null: static, valid for good.")

    @strawberry.field(description="The QR code as an SVG document.")
    async def qr_svg(self) -> str:
        """Return the image as text."""
        return await to_thread.run_sync(svg_of, self.text)


@strawberry.type(description="一码通行: an identity code that can be verified without a network.")
class IdentityCode:
    """A signed code. It proves identity and moves no money, ever."""

    serial: strawberry.ID = strawberry.field(description="Its serial, by which it is revoked.")
    text: str = strawberry.field(description="CBOR Web Token in COSE_Sign1, base45.")
    issued_at: datetime = strawberry.field(description="When it was signed.")
    expires_at: datetime = strawberry.field(description="Until when it can be shown.")

    @strawberry.field(description="The QR code as an SVG document.")
    async def qr_svg(self) -> str:
        """Return the image as text."""
        return await to_thread.run_sync(svg_of, self.text)


@strawberry.type(description="A code to print for somebody without a phone.")
class PrintableCode:
    """It proves identity together with an identity card, and can be revoked."""

    code_id: strawberry.ID = strawberry.field(description="Its id.")
    text: str = strawberry.field(description="28 digits; they name nobody. Shown this once.")
    made_at: datetime = strawberry.field(description="When it was made; the one before is void.")

    @strawberry.field(description="The QR code as an SVG document, to print.")
    async def qr_svg(self) -> str:
        """Return the image as text."""
        return await to_thread.run_sync(svg_of, self.text)


@strawberry.type(description="Signed and printed codes that were taken back.")
class RevokedIdentityCodes:
    """How many."""

    signed: int = strawberry.field(description="Signed codes.")
    printed: int = strawberry.field(description="Printed codes.")


@strawberry.input(description="Names the person whose code it is.")
class CodeSubjectInput:
    """Oneself or a relative."""

    subject_id: strawberry.ID | None = strawberry.field(
        description="The relative; leave it out for oneself.", default=None
    )


@strawberry.input(description="Asks for a health card.")
class ShowHealthCardInput:
    """Whose, and which."""

    subject_id: strawberry.ID | None = strawberry.field(
        description="The relative; leave it out for oneself.", default=None
    )
    dynamic: bool = strawberry.field(
        description="Whether it is valid for some minutes only.", default=True
    )


@strawberry.type
class IdentityCodeMutations:
    """Making and taking back."""

    @strawberry.mutation(
        description="Show the electronic health card.",
        graphql_type=result_union("ShowHealthCardResult", HealthCardType, _REFUSALS),
    )
    async def show_health_card(self, info: Info, input: ShowHealthCardInput) -> Any:
        """Return the card."""
        outcome = await info.context.act(
            identities.show_health_card,
            lambda actor: ShowHealthCard(actor, input.subject_id or own_id(actor), input.dynamic),
        )

        def shown(card: HealthCard) -> HealthCardType:
            return HealthCardType(
                card_id=card.card_id, text=card.text, valid_until=card.valid_until
            )

        return answer(outcome, info.context.locale, shown)

    @strawberry.mutation(
        description="Sign an identity code for where there is no network.",
        graphql_type=result_union("IssueIdentityCodeResult", IdentityCode, _REFUSALS),
    )
    async def issue_identity_code(self, info: Info, input: CodeSubjectInput) -> Any:
        """Sign a code."""
        outcome = await info.context.act(
            identities.issue_identity_code,
            lambda actor: IssueIdentityCode(actor, input.subject_id or own_id(actor)),
        )

        def shown(code: SignedIdentity) -> IdentityCode:
            return IdentityCode(
                serial=strawberry.ID(code.serial),
                text=code.text,
                issued_at=code.issued_at,
                expires_at=code.expires_at,
            )

        return answer(outcome, info.context.locale, shown)

    @strawberry.mutation(
        description="Make a code to print; the one before it is void at once.",
        graphql_type=result_union("MakePrintedCodeResult", PrintableCode, _REFUSALS),
    )
    async def make_printed_code(self, info: Info, input: CodeSubjectInput) -> Any:
        """Make a code."""
        outcome = await info.context.act(
            identities.make_printed_code,
            lambda actor: MakePrintedCode(actor, input.subject_id or own_id(actor)),
        )

        def shown(code: PrintedIdentity) -> PrintableCode:
            return PrintableCode(
                code_id=strawberry.ID(code.id), text=code.text, made_at=code.made_at
            )

        return answer(outcome, info.context.locale, shown)

    @strawberry.mutation(
        description="Take back every signed and printed code; needs no proof.",
        graphql_type=result_union(
            "RevokeIdentityCodesResult", RevokedIdentityCodes, (SignInRequired, NotPermitted)
        ),
    )
    async def revoke_identity_codes(self, info: Info, input: CodeSubjectInput) -> Any:
        """Take them back."""
        outcome = await info.context.act(
            identities.revoke_identity_codes,
            lambda actor: RevokeIdentityCodes(actor, input.subject_id or own_id(actor)),
        )

        def shown(revoked: IdentityCodesRevoked) -> RevokedIdentityCodes:
            return RevokedIdentityCodes(signed=revoked.signed, printed=revoked.printed)

        return answer(outcome, info.context.locale, shown)
