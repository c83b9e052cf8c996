"""D1 多码融合亮码: a fresh one-time code for a till, as text and as a QR image."""

from __future__ import annotations

import base64
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import strawberry
from anyio import to_thread

from backend.access.logic import own_id
from backend.codes import service
from backend.codes.contracts import IssueCode, IssuedCode, Purpose
from backend.identity.safety_contracts import AccountFrozen
from backend.kernel.errors import Locale
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.words import Words

if TYPE_CHECKING:
    from qrcode import QRCode

MODULE = AppModule(
    "D1",
    "多码融合亮码",
    "亮码",
    "Showing the unified code",
    ModuleState.AVAILABLE,
    "可为本人和已授权的亲属签发一次性统一码、电子健康卡、身份码和打印码；开通免密支付或银行信用就医后，亮码一次即付清医保、账户和个人部分。",
)
REFRESH_RULE = Words(
    "到refreshAt时自动换新码；新码签发后旧码立即作废；每个码只能扫描一次。",
    "Ask for a new code at refreshAt; it voids the older one at once; each code serves once.",
)
_QUIET_ZONE = 4  # modules of white that a reader needs around the code (ISO/IEC 18004)


@strawberry.type(description="A code for one scan, by one till, within a minute.")
class UnifiedCode:
    """A fresh code. Show it, do not store it."""

    code_id: strawberry.ID = strawberry.field(description="Id of the code, for the audit.")
    text: str = strawberry.field(description="28 digits for the till; they name nobody.")
    purpose: Purpose = strawberry.field(description="What it may be used for.")
    issued_at: datetime = strawberry.field(description="When it was issued.")
    expires_at: datetime = strawberry.field(description="When it stops working.")
    refresh_at: datetime = strawberry.field(description="When to ask for the next one.")
    refresh_rule: str = strawberry.field(description="The rule of refreshing, in words.")

    @strawberry.field(description="The QR code as an SVG document.")
    async def qr_svg(self) -> str:
        """Return the image as text."""
        return await to_thread.run_sync(svg_of, self.text)

    @strawberry.field(description="The QR code as a PNG image in base64.")
    async def qr_png_base64(self) -> str:
        """Return the image in base64."""
        return base64.b64encode(await to_thread.run_sync(_png, self.text)).decode()


@strawberry.input(description="Asks for a code of oneself or of a relative.")
class IssueCodeInput:
    """A request for a code."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    purpose: Purpose = strawberry.field(description="What the code is for.")
    subject_id: strawberry.ID | None = strawberry.field(
        description="The relative whose code it is; leave it out for one's own.", default=None
    )


@strawberry.type
class CodeMutations:
    """What a signed-in person may do with codes."""

    @strawberry.mutation(
        description="Issue a code; a newer one voids the older one of this device.",
        graphql_type=result_union("IssueCodeResult", UnifiedCode, (*KEYED, AccountFrozen)),
    )
    async def issue_code(self, info: Info, input: IssueCodeInput) -> Any:
        """Issue a code for the caller."""
        outcome = await info.context.act(
            service.issue_code,
            lambda actor: IssueCode(
                actor, input.subject_id or own_id(actor), input.purpose, input.request_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda code: _shown(code, locale))


def _shown(code: IssuedCode, locale: Locale) -> UnifiedCode:
    return UnifiedCode(
        code_id=strawberry.ID(code.id),
        text=code.text,
        purpose=code.purpose,
        issued_at=code.issued_at,
        expires_at=code.expires_at,
        refresh_at=code.refresh_at,
        refresh_rule=REFRESH_RULE.text(locale),
    )


def _matrix(text: str) -> QRCode[Any]:
    import qrcode  # drags in lxml and PIL; loaded with the first code that is drawn

    code: QRCode[Any] = qrcode.QRCode(
        error_correction=qrcode.ERROR_CORRECT_M, box_size=8, border=_QUIET_ZONE
    )
    code.add_data(text)
    code.make(fit=True)
    return code


def svg_of(text: str) -> str:
    """Return a QR code as an SVG document."""
    from qrcode.image.svg import SvgPathImage

    image = _matrix(text).make_image(image_factory=SvgPathImage)
    return image.to_string(encoding="unicode")


def _png(text: str) -> bytes:
    from qrcode.image.pil import PilImage

    buffer = io.BytesIO()
    _matrix(text).make_image(image_factory=PilImage).save(buffer, "PNG")
    return buffer.getvalue()
