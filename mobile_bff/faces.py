"""The face check: what to do before the camera, how it went, and taking one's face back.

The pictures themselves go to ``POST /face-checks/<id>`` (``mobile_bff.face_upload``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import SignInRequired
from backend.codes.contracts import (
    CodeOfOtherAuthority,
    CodeRevoked,
    CodeUnknown,
    CodeUnreadable,
)
from backend.identity import face_checks
from backend.identity.face_contracts import (
    BeginFaceCheck,
    FaceAction,
    FaceActionNotSeen,
    FaceAttemptsUsedUp,
    FaceCheckStarted,
    FaceCheckUnknown,
    FaceConsentMissing,
    FaceNotEnrolled,
    FaceNotPassed,
    FacePassed,
    FacePurpose,
    FaceRemoved,
    FaceTooYoung,
    FaceUnavailable,
    FinishFaceCheck,
    PassiveCheck,
    RemoveFace,
)
from backend.identity.safety_contracts import AccountFrozen
from backend.kernel.errors import Locale
from backend.payments import resolving
from backend.payments.contracts import BeginTillFace
from backend.proxies import service as relatives
from backend.proxies.contracts import (
    BeginFaceConsent,
    BindingNotFound,
    BindingNotPossible,
    BoundTooOften,
    ConsentByFace,
    ConsentKind,
)
from mobile_bff.benefits.family_accounts import FamilyBinding, binding_type
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.wording import words
from mobile_bff.words import Words

_LIMITS = Words(
    "刷脸能挡住照片、晃动的照片、旧录像和他人，挡不住精制面具和专门制作的视频；判断界限未经大规模测算（暂定），"
    "所以刷脸从不是唯一方式，也不能单独支付大额。",
    "A face check stops photographs, moved photographs, old recordings and other people; it does not stop good "
    "masks or films made to order. Its limits are provisional, measured on no population. So it is never the "
    "only way, and pays no large sum by itself.",
)
_AHEAD = Words("正对镜头，表情自然", "look straight at the camera")


@strawberry.type(description="One thing to do before the camera.")
class FaceStep:
    """A step. Pictures of it carry its number."""

    number: int = strawberry.field(description="Number of the step; 0 is the neutral look.")
    action: FaceAction | None = strawberry.field(
        description="What to do; null for the neutral look."
    )
    text: str = strawberry.field(description="What to tell the person.")
    speech_text: str = strawberry.field(description="The same, to be read out.")


@strawberry.type(description="A face check that waits for its pictures.")
class FaceChallenge:
    """What to do, where to send the pictures, and until when."""

    check_id: strawberry.ID = strawberry.field(description="Id of the check.")
    purpose: FacePurpose = strawberry.field(description="What the face is shown for.")
    steps: list[FaceStep] = strawberry.field(description="What to do, in this order.")
    upload_path: str = strawberry.field(
        description="Where to POST the pictures as multipart form data: JPEG or PNG, not mirrored, in the order "
        "taken, each named by the number of its step; of a blink some ten a second, until the eyes are open."
    )
    pictures_max: int = strawberry.field(description="The most pictures of one check.")
    expires_at: datetime = strawberry.field(description="Until when they are taken.")
    note: str = strawberry.field(description="What the check stops and what it does not.")


@strawberry.type(description="A face check that passed.")
class FaceCheckPassed:
    """It counts for what it was begun for, and for nothing else."""

    check_id: strawberry.ID = strawberry.field(description="Id of the check.")
    purpose: FacePurpose = strawberry.field(description="What the face was shown for.")
    passive: PassiveCheck = strawberry.field(
        description="What a model says that looks for prints and screens in a single picture."
    )
    until: datetime = strawberry.field(description="Until when it can be used.")


@strawberry.type(description="The caller's face is kept no more.")
class FaceTakenBack:
    """The template and all that was kept of checks are deleted."""

    removed: bool = strawberry.field(description="Whether there was one.")


@strawberry.input(description="Begins a face check on one's own device.")
class BeginFaceCheckInput:
    """What for."""

    purpose: FacePurpose = strawberry.field(description="ENROL or STEP_UP.")
    consent: bool = strawberry.field(
        description="ENROL: the person agrees that a template of the face is kept.", default=False
    )


@strawberry.input(description="Names a face check.")
class FaceCheckInput:
    """Which one."""

    check_id: strawberry.ID = strawberry.field(description="Id of the check.")


@strawberry.input(description="Begins a check of a relative's face, who agrees by it.")
class BeginFaceConsentInput:
    """To what."""

    binding_id: strawberry.ID = strawberry.field(description="The binding.")
    kind: ConsentKind = strawberry.field(description="BIND or RENEW; never PAY.")


@strawberry.input(description="The relative's face check that passed.")
class ConsentByFaceInput:
    """To what."""

    binding_id: strawberry.ID = strawberry.field(description="The binding.")
    kind: ConsentKind = strawberry.field(description="What it was begun for.")
    check_id: strawberry.ID = strawberry.field(description="Id of the check.")


@strawberry.input(description="Begins a check of the face of whoever holds an identity code.")
class BeginTillFaceInput:
    """Whose."""

    request_id: str = strawberry.field(description="Request key of the terminal (msgid).")
    text: str = strawberry.field(description="The scanned text of the identity code.")


def _challenge(started: FaceCheckStarted, locale: Locale) -> FaceChallenge:
    texts = [_AHEAD.text(locale), *(words(action).text(locale) for action in started.actions)]
    actions = (None, *started.actions)
    return FaceChallenge(
        check_id=strawberry.ID(started.check_id),
        purpose=started.purpose,
        steps=[
            FaceStep(number=number, action=action, text=text, speech_text=text)
            for number, (action, text) in enumerate(zip(actions, texts, strict=True))
        ],
        upload_path=f"/face-checks/{started.check_id}",
        pictures_max=started.pictures_max,
        expires_at=started.expires_at,
        note=_LIMITS.text(locale),
    )


def _passed(passed: FacePassed) -> FaceCheckPassed:
    return FaceCheckPassed(
        check_id=strawberry.ID(passed.check_id),
        purpose=passed.purpose,
        passive=passed.passive,
        until=passed.until,
    )


def _removed(gone: FaceRemoved) -> FaceTakenBack:
    return FaceTakenBack(removed=gone.removed)


async def _begun(info: Info, use_case: Any, command: Any) -> Any:
    outcome, locale = await info.context.act(use_case, command), info.context.locale
    return answer(outcome, locale, lambda started: _challenge(started, locale))


@strawberry.type
class FaceMutations:
    """Showing one's face."""

    @strawberry.mutation(
        description="Begin a face check on one's own device, to enrol or to prove oneself.",
        graphql_type=result_union(
            "BeginFaceCheckResult",
            FaceChallenge,
            (
                SignInRequired,
                StepUpRequired,
                FaceConsentMissing,
                FaceTooYoung,
                FaceNotEnrolled,
                FaceAttemptsUsedUp,
                FaceCheckUnknown,
            ),
        ),
    )
    async def begin_face_check(self, info: Info, input: BeginFaceCheckInput) -> Any:
        """Begin a check."""
        return await _begun(
            info,
            face_checks.begin,
            lambda actor: BeginFaceCheck(actor, input.purpose, input.consent),
        )

    @strawberry.mutation(
        description="Ask how a face check went, once its pictures are sent; it counts from then on.",
        graphql_type=result_union(
            "FinishFaceCheckResult",
            FaceCheckPassed,
            (SignInRequired, FaceCheckUnknown, FaceNotPassed, FaceActionNotSeen, FaceUnavailable),
        ),
    )
    async def finish_face_check(self, info: Info, input: FaceCheckInput) -> Any:
        """Tell the outcome."""
        outcome = await info.context.act(
            face_checks.finish, lambda actor: FinishFaceCheck(actor, input.check_id)
        )
        return answer(outcome, info.context.locale, _passed)

    @strawberry.mutation(
        description="Delete the template of the caller's face and all that is kept of their checks.",
        graphql_type=result_union("RemoveFaceResult", FaceTakenBack, (SignInRequired,)),
    )
    async def remove_face(self, info: Info) -> Any:
        """Take one's face back."""
        outcome = await info.context.act(face_checks.remove, RemoveFace)
        return answer(outcome, info.context.locale, _removed)

    @strawberry.mutation(
        description="Begin a check of a relative's face before the caller's device: their consent.",
        graphql_type=result_union(
            "BeginFaceConsentResult",
            FaceChallenge,
            (
                SignInRequired,
                BindingNotFound,
                BindingNotPossible,
                FaceNotEnrolled,
                FaceAttemptsUsedUp,
            ),
        ),
    )
    async def begin_face_consent(self, info: Info, input: BeginFaceConsentInput) -> Any:
        """Begin a relative's consent."""
        return await _begun(
            info,
            relatives.begin_face_consent,
            lambda actor: BeginFaceConsent(actor, input.binding_id, input.kind),
        )

    @strawberry.mutation(
        description="Take a relative's face check that passed as their consent; never to money.",
        graphql_type=result_union(
            "ConsentByFaceResult",
            FamilyBinding,
            (SignInRequired, BindingNotFound, FaceCheckUnknown, BoundTooOften),
        ),
    )
    async def consent_by_face(self, info: Info, input: ConsentByFaceInput) -> Any:
        """Take a relative's consent."""
        outcome = await info.context.act(
            relatives.consent_by_face,
            lambda actor: ConsentByFace(actor, input.binding_id, input.kind, input.check_id),
        )
        locale = info.context.locale
        return answer(outcome, locale, lambda view: binding_type(view, locale))

    @strawberry.mutation(
        description="At a till: begin a check of the face of whoever holds an identity code.",
        graphql_type=result_union(
            "BeginTillFaceResult",
            FaceChallenge,
            (
                *KEYED,
                CodeUnreadable,
                CodeUnknown,
                CodeRevoked,
                CodeOfOtherAuthority,
                AccountFrozen,
                FaceNotEnrolled,
                FaceAttemptsUsedUp,
            ),
        ),
    )
    async def begin_till_face(self, info: Info, input: BeginTillFaceInput) -> Any:
        """Begin a check at a till."""
        return await _begun(
            info,
            resolving.begin_till_face,
            lambda actor: BeginTillFace(actor, input.text, input.request_id),
        )
