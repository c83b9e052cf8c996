"""B7 转移接续与参保凭证: insurance taken along to another area, and signed papers that anybody verifies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.contracts import Action, SignInRequired
from backend.access.logic import own_id
from backend.certificates import queries as certificate_queries
from backend.certificates import service as certificate_service
from backend.certificates.contracts import (
    CertificateKind,
    CertificateNotFound,
    CertificateNotPossible,
    CertificateState,
    CertificateView,
    CheckCodeUnknown,
    IssueCertificate,
    RevokeCertificate,
    TooManyChecks,
    Verified,
    VerifyCertificate,
)
from backend.enrolment import queries
from backend.enrolment.contracts import EnrolmentNotPossible, TransferForm, TransferView
from backend.enrolment.transferring import TRANSFER
from backend.infra.database import Unit
from backend.kernel.errors import Locale
from backend.people import queries as people
from backend.regions.library import area_name
from mobile_bff.applications import FORM, ApplicationType, saved
from mobile_bff.certificates import verified_lines
from mobile_bff.connections import page_size
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money
from mobile_bff.wording import Status, status

MODULE = AppModule(
    "B7",
    "转移接续与参保凭证",
    "转移与凭证",
    "Transfer and certificates",
    ModuleState.AVAILABLE,
    "转移接续：两地分段办理、进度可查，缴费月数和个人账户余额随转；参保凭证、缴费证明和结算清单为带电子签名的PDF，凭核验码任何人可查真伪。",
)


@strawberry.type(name="InsuranceTransfer", description="What was brought along from another area.")
class TransferType:
    """A transfer that is done."""

    matter_id: strawberry.ID = strawberry.field(description="The application.")
    from_area: str = strawberry.field(description="Code of the area that it came from.")
    from_area_name: str = strawberry.field(description="Its name.")
    to_enrolment_id: strawberry.ID = strawberry.field(description="Where it went to.")
    months: int = strawberry.field(description="Months that were paid there.")
    balance: Money = strawberry.field(description="What came into the personal account.")
    done_at: datetime = strawberry.field(description="When.")


@strawberry.input(description="Saves an application to take insurance along as a draft.")
class SaveTransferInput:
    """From where to where."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; null: the caller."
    )
    matter_id: strawberry.ID | None = strawberry.field(
        default=None, description="The draft to go on with; null: a new one."
    )
    enrolment_id: strawberry.ID | None = strawberry.field(
        default=None, description="The insurance that takes it over; null: the one that pays."
    )
    from_area: str = strawberry.field(description="Insured area that it comes from.")
    from_number: str = strawberry.field(
        default="", description="Of another province: the person number there."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.type(name="Certificate", description="A signed paper about somebody's insurance.")
class CertificateType:
    """A certificate, as its owner sees it."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="Number printed on it.")
    kind: CertificateKind = strawberry.field(description="What it says.")
    kind_status: Status = strawberry.field(description="What it says, in words.")
    state: CertificateState = strawberry.field(description="Where it stands.")
    status: Status = strawberry.field(description="Where it stands, in words.")
    year: int | None = strawberry.field(description="Of which year; null: of all time.")
    check_code: str = strawberry.field(description="By which anybody verifies it.")
    verify_url: str = strawberry.field(description="Page that verifies it, to send to somebody.")
    file_path: str = strawberry.field(
        description="Where its owner fetches the PDF file, below this installation's address."
    )
    issued_at: datetime = strawberry.field(description="When.")
    valid_until: date = strawberry.field(description="Last day on which it can be verified.")


@strawberry.type(name="CertificateLine", description="A line to compare with the paper.")
class CertificateLineType:
    """What it is, and what it says."""

    label: str = strawberry.field(description="What it is.")
    text: str = strawberry.field(description="What the paper must say.")


@strawberry.type(
    name="VerifiedCertificate", description="What a check code stands for; names are masked."
)
class VerifiedType:
    """A certificate, as whoever holds the paper sees it."""

    number: str = strawberry.field(description="Number printed on it.")
    kind: CertificateKind = strawberry.field(description="What it says.")
    state: CertificateState = strawberry.field(description="Where it stands; rely on VALID alone.")
    status: Status = strawberry.field(description="Where it stands, in words.")
    valid_until: date = strawberry.field(description="Last day on which it can be verified.")
    lines: list[CertificateLineType] = strawberry.field(description="To compare with the paper.")
    digest: str = strawberry.field(
        description="SHA-256 of the signed file in hexadecimal; empty while nobody has fetched it."
    )


@strawberry.input(description="Issues a certificate of what stands in the books now.")
class IssueCertificateInput:
    """Whose, of which kind and year."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose; null: the caller's."
    )
    kind: CertificateKind = strawberry.field(description="What it is to say.")
    year: int | None = strawberry.field(
        default=None, description="Of contributions and of settlements: which year."
    )
    settlement_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of a receipt: which settlement, by its plain id."
    )
    request_id: str = strawberry.field(description="Request key: the same repeats the answer.")


@strawberry.input(description="Takes a certificate back; its check code says so from now on.")
class RevokeCertificateInput:
    """Which one."""

    certificate_id: strawberry.ID = strawberry.field(description="Its id.")


def certificate_type(view: CertificateView, locale: Locale) -> CertificateType:
    """Return a certificate for the schema."""
    return CertificateType(
        id=strawberry.ID(view.id),
        number=view.number,
        kind=view.kind,
        kind_status=status(view.kind, locale),
        state=view.state,
        status=status(view.state, locale),
        year=view.year,
        check_code=view.check_code,
        verify_url=view.link,
        file_path=f"/certificates/{view.id}.pdf",
        issued_at=view.issued_at,
        valid_until=view.valid_until,
    )


def verified_type(view: Verified, locale: Locale) -> VerifiedType:
    """Return what a check code stands for."""
    return VerifiedType(
        number=view.number,
        kind=view.kind,
        state=view.state,
        status=status(view.state, locale),
        valid_until=view.valid_until,
        lines=[CertificateLineType(label=a, text=b) for a, b in verified_lines(view, locale)],
        digest=view.digest,
    )


@strawberry.type
class TransferQueries:
    """What somebody has brought along, and their papers."""

    @strawberry.field(description="A person's certificates, the newest first.")
    async def certificates(
        self, info: Info, subject_id: strawberry.ID | None = None, first: int | None = None
    ) -> list[CertificateType]:
        """Return certificates."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)
        found = await info.context.door.read(
            lambda unit: certificate_queries.of_person(unit, subject, page_size(first))
        )
        return [certificate_type(view, info.context.locale) for view in found]

    @strawberry.field(description="What was brought along from other areas, the oldest first.")
    async def transfers(
        self, info: Info, subject_id: strawberry.ID | None = None
    ) -> list[TransferType]:
        """Return transfers that are done."""
        subject = await info.context.person(Action.VIEW_RIGHTS, subject_id)

        def read(unit: Unit) -> list[TransferView]:
            return queries.transfers_to(unit, people.enrolment_ids(unit, subject))

        return [
            TransferType(
                matter_id=strawberry.ID(one.matter_id),
                from_area=one.from_area,
                from_area_name=area_name(one.from_area),
                to_enrolment_id=strawberry.ID(one.to_enrolment_id),
                months=one.months,
                balance=money(one.balance_fen, info.context.locale),
                done_at=one.done_at,
            )
            for one in await info.context.door.read(read)
        ]


@strawberry.type
class TransferMutations:
    """Taking insurance along; papers."""

    @strawberry.mutation(
        description="Save an application to take insurance along as a draft.",
        graphql_type=result_union(
            "SaveTransferResult", ApplicationType, (*KEYED, *FORM, EnrolmentNotPossible)
        ),
    )
    async def save_transfer(self, info: Info, input: SaveTransferInput) -> Any:
        """Save a draft."""
        form = TransferForm(input.from_area, input.from_number.strip())
        return await saved(info, TRANSFER, input, form)

    @strawberry.mutation(
        description="Issue a certificate of what stands in the books now. Its file is fetched from"
        " filePath with the same token.",
        graphql_type=result_union(
            "IssueCertificateResult", CertificateType, (*KEYED, CertificateNotPossible)
        ),
    )
    async def issue_certificate(self, info: Info, input: IssueCertificateInput) -> Any:
        """Issue a certificate."""
        subject: str = input.subject_id or own_id(await info.context.actor())
        outcome = await info.context.act(
            certificate_service.issue,
            lambda actor: IssueCertificate(
                actor, subject, input.kind, input.year, input.request_id, input.settlement_id
            ),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: certificate_type(view, locale))

    @strawberry.mutation(
        description="Take a certificate back; its check code says so from now on.",
        graphql_type=result_union(
            "RevokeCertificateResult", CertificateType, (SignInRequired, CertificateNotFound)
        ),
    )
    async def revoke_certificate(self, info: Info, input: RevokeCertificateInput) -> Any:
        """Take a certificate back."""
        outcome = await info.context.act(
            certificate_service.revoke,
            lambda actor: RevokeCertificate(actor, input.certificate_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: certificate_type(view, locale))

    @strawberry.mutation(
        description="Verify a certificate by the check code printed on it; anybody may. A mutation,"
        " since wrong codes are counted.",
        graphql_type=result_union(
            "VerifyCertificateResult", VerifiedType, (CheckCodeUnknown, TooManyChecks)
        ),
    )
    async def verify_certificate(self, info: Info, check_code: str) -> Any:
        """Verify a certificate."""
        context = info.context
        command = VerifyCertificate(context.address, check_code[:100])
        outcome = await context.door.write(certificate_service.verify, command, context.request_id)
        return answer(outcome, context.locale, lambda view: verified_type(view, context.locale))
