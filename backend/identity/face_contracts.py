"""Commands, views and refusals of the face check: a challenge of actions before the camera.

What it stops: a photograph, a photograph that is moved about, an older recording, another person. What
it does not stop: a good mask, a film made to order, a picture that a program bends in time. So a face is
never the only way, and moves no large sum by itself (``backend.access.assurance``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal, Retry, Seconds
from backend.kernel.states import StateTable

Point = tuple[float, float]


class FacePurpose(StrEnum):
    """What a face is shown for. A check for one purpose serves no other."""

    ENROL = "ENROL"
    """Keep the template, so that the face counts from now on."""
    STEP_UP = "STEP_UP"
    """Prove oneself on one's own device."""
    CONSENT = "CONSENT"
    """A person agrees, before a relative's device, that the relative may act for them."""
    TILL = "TILL"
    """The holder of an identity code shows the face at a terminal instead of the identity card."""


class FaceAction(StrEnum):
    """What to do before the camera. Left and right are the person's own."""

    BLINK = "BLINK"
    TURN_LEFT = "TURN_LEFT"
    TURN_RIGHT = "TURN_RIGHT"
    OPEN_MOUTH = "OPEN_MOUTH"

    def text(self, locale: Locale) -> str:
        """Return what to do, short enough to be read out."""
        return _ACTIONS[self.value][0 if locale is Locale.ZH else 1]


_ACTIONS = {
    "BLINK": ("眨眨眼", "blink"),
    "TURN_LEFT": ("向左转头", "turn your head to your left"),
    "TURN_RIGHT": ("向右转头", "turn your head to your right"),
    "OPEN_MOUTH": ("张张嘴", "open your mouth"),
}


class FaceProblem(StrEnum):
    """Why a check did not pass: each with one thing to do about it."""

    UNREADABLE = "UNREADABLE"
    TOO_FEW_PICTURES = "TOO_FEW_PICTURES"
    NO_FACE = "NO_FACE"
    TWO_FACES = "TWO_FACES"
    TOO_DARK = "TOO_DARK"
    BLURRED = "BLURRED"
    SIDEWAYS = "SIDEWAYS"
    FACE_CHANGED = "FACE_CHANGED"
    REPLAYED = "REPLAYED"
    STILL_PICTURE = "STILL_PICTURE"
    MOVED_PICTURE = "MOVED_PICTURE"
    ACTION_NOT_SEEN = "ACTION_NOT_SEEN"
    NOT_THE_PERSON = "NOT_THE_PERSON"

    def text(self, locale: Locale) -> str:
        """Return what was wrong."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


class FaceAdvice(StrEnum):
    """The one thing to do before trying again; its values are those of ``FaceProblem``."""

    UNREADABLE = "UNREADABLE"
    TOO_FEW_PICTURES = "TOO_FEW_PICTURES"
    NO_FACE = "NO_FACE"
    TWO_FACES = "TWO_FACES"
    TOO_DARK = "TOO_DARK"
    BLURRED = "BLURRED"
    SIDEWAYS = "SIDEWAYS"
    FACE_CHANGED = "FACE_CHANGED"
    REPLAYED = "REPLAYED"
    STILL_PICTURE = "STILL_PICTURE"
    MOVED_PICTURE = "MOVED_PICTURE"
    ACTION_NOT_SEEN = "ACTION_NOT_SEEN"
    NOT_THE_PERSON = "NOT_THE_PERSON"

    def text(self, locale: Locale) -> str:
        """Return what to do."""
        return _PROBLEMS[self.value][2 if locale is Locale.ZH else 3]


_PROBLEMS = {
    "UNREADABLE": (
        "照片无法读取",
        "a picture could not be read",
        "请更新应用后重试",
        "update the app and try again",
    ),
    "TOO_FEW_PICTURES": (
        "有的步骤没有拍到照片",
        "a step has no picture",
        "请按提示做完每个动作后再提交",
        "follow every step to its end",
    ),
    "NO_FACE": (
        "没有看到人脸",
        "no face was seen",
        "请摘下口罩、帽子，正对镜头，让脸占画面一半左右",
        "take off mask and hat and look straight at the camera, so that the face fills half of the picture",
    ),
    "TWO_FACES": (
        "画面中不止一张脸",
        "more than one face was seen",
        "请一个人面对镜头，身后不要有人或照片",
        "stand alone, with nobody and no portrait behind you",
    ),
    "TOO_DARK": (
        "光线太暗",
        "it was too dark",
        "请面向窗户或灯光",
        "turn towards a window or a lamp",
    ),
    "BLURRED": (
        "画面模糊",
        "the pictures were blurred",
        "请擦净镜头，拿稳手机",
        "wipe the lens and hold the phone still",
    ),
    "SIDEWAYS": (
        "脸是歪的或横的",
        "the face was tilted or lay on its side",
        "请竖着拿手机，头摆正",
        "hold the phone and your head upright",
    ),
    "FACE_CHANGED": (
        "前后不是同一张脸",
        "the face changed in between",
        "请由同一个人做完全部动作",
        "let one person do every action",
    ),
    "REPLAYED": (
        "画面与以前的一次核验相同",
        "the pictures are those of an earlier check",
        "请对着镜头重新做动作",
        "do the actions anew before the camera",
    ),
    "STILL_PICTURE": (
        "画面一动不动，像是照片",
        "nothing moved, as on a photograph",
        "请本人对着镜头按提示做动作",
        "do what the app says before the camera",
    ),
    "MOVED_PICTURE": (
        "像是在晃动一张照片",
        "it looked like a photograph that is moved about",
        "请拿稳手机，本人按提示做动作",
        "hold the phone still and do what the app says",
    ),
    "ACTION_NOT_SEEN": (
        "没有看清要求的动作",
        "an action was not seen",
        "请动作慢一点、幅度大一点",
        "do it more slowly and more clearly",
    ),
    "NOT_THE_PERSON": (
        "与登记的人脸不一致",
        "it is not the face that was enrolled",
        "请由本人面对镜头；面容变化较大时请用其他方式核验后重新录入",
        "the person themselves must look; who has changed proves it another way and enrols anew",
    ),
}


class FaceState(StrEnum):
    """States of a check. Expiry is a matter of the clock and no state of its own."""

    STARTED = "STARTED"
    SUBMITTED = "SUBMITTED"
    PASSED = "PASSED"
    FAILED = "FAILED"
    USED = "USED"


class FaceEvent(StrEnum):
    """What can happen to a check."""

    SUBMIT = "SUBMIT"
    PASS = "PASS"  # noqa: S105 - a name, not a secret
    FAIL = "FAIL"
    USE = "USE"


FACE_STATES: StateTable[FaceState, FaceEvent] = StateTable(
    name="face_check",
    title="刷脸核验 a face check",
    initial=(FaceState.STARTED,),
    moves={
        (FaceState.STARTED, FaceEvent.SUBMIT): FaceState.SUBMITTED,
        (FaceState.SUBMITTED, FaceEvent.PASS): FaceState.PASSED,
        (FaceState.SUBMITTED, FaceEvent.FAIL): FaceState.FAILED,
        (FaceState.PASSED, FaceEvent.USE): FaceState.USED,
    },
)


class PassiveCheck(StrEnum):
    """What a model says that looks for prints and screens in a single picture."""

    NOT_AVAILABLE = "NOT_AVAILABLE"
    """No model was found that tells them apart; nothing is claimed."""


@dataclass(frozen=True)
class Frame:
    """A measured picture: what is wrong with it, or 68 points and the template of its one face."""

    step: int
    problem: FaceProblem | None
    points: tuple[Point, ...] = ()
    template: tuple[float, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What a series of pictures shows; with a template and shapes where it passed."""

    problem: FaceProblem | None
    action: FaceAction | None = None
    template: tuple[float, ...] = ()
    shapes: tuple[tuple[Point, ...], ...] = ()


@dataclass(frozen=True)
class BeginFaceCheck:
    """A signed-in person wants to enrol the face, which takes their consent, or to prove themselves."""

    actor: Actor
    purpose: FacePurpose
    consent: bool


@dataclass(frozen=True)
class FaceCheckStarted:
    """What to do before the camera, and until when; step 0 is a neutral look straight ahead."""

    check_id: str
    purpose: FacePurpose
    actions: tuple[FaceAction, ...]
    expires_at: datetime
    pictures_max: int


@dataclass(frozen=True)
class TakeFaceCheck:
    """The pictures of a check are there; whoever began it sends them, once."""

    actor: Actor
    check_id: str


@dataclass(frozen=True)
class JudgeFaceCheck:
    """The measured pictures of a check."""

    check_id: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class FinishFaceCheck:
    """Whoever began a check asks how it went; asking again answers the same."""

    actor: Actor
    check_id: str


@dataclass(frozen=True)
class FaceCheckTaken:
    """A check that waits for its pictures to be measured."""

    check_id: str
    steps: int


@dataclass(frozen=True)
class FaceCheckJudged:
    """The pictures were judged; the outcome is there to be asked for."""

    check_id: str
    state: FaceState


@dataclass(frozen=True)
class FacePassed:
    """The check passed."""

    check_id: str
    purpose: FacePurpose
    passive: PassiveCheck
    until: datetime
    """Until when it counts."""


@dataclass(frozen=True)
class FaceRemoved:
    """The template is gone."""

    removed: bool


@dataclass(frozen=True)
class RemoveFace:
    """A person takes their face back; needs no proof, because it only takes a way away."""

    actor: Actor


@dataclass(frozen=True)
class FaceConsentMissing(Refusal):
    """A face is kept only of who has agreed to it."""

    zh = "录入人脸前需要您单独同意。"
    en = "A face is kept only with a consent of its own."
    next_zh = "请阅读说明并勾选同意；不同意也可以用支付密码、通行密钥或到窗口办理一切业务。"
    next_en = "Read the note and agree; without it everything can be done by password, passkey or counter."


@dataclass(frozen=True)
class FaceTooYoung(Refusal):
    """No face is asked of a child."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "未满{age}周岁不采集人脸。"
    en = "No face is taken of anybody younger than {age}."
    next_zh = "请由监护人凭承诺书和户口材料办理亲情账户代办。"
    next_en = "A guardian acts for the child, on a promise and household papers."
    age: int


@dataclass(frozen=True)
class FaceNotEnrolled(Refusal):
    """The person has enrolled no face."""

    zh = "还没有录入人脸。"
    en = "No face has been enrolled."
    next_zh = "请用支付密码、通行密钥、短信验证码或身份证办理；本人可在“账户安全”中录入人脸。"
    next_en = (
        "Use password, passkey, phone or ID card; a face can be enrolled under account safety."
    )


@dataclass(frozen=True)
class FaceCheckUnknown(Refusal):
    """There is no such open check of the caller's, or its time is over."""

    zh = "这次刷脸核验不存在、已用过或已超时。"
    en = "This face check does not exist, was used, or is past its time."
    next_zh = "请重新开始刷脸，或改用其他方式核验。"
    next_en = "Start a new face check, or prove it another way."


@dataclass(frozen=True)
class FaceAttemptsUsedUp(Refusal):
    """Faces were shown too often today."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "刷脸次数过多，请在{retry_after_seconds}后再试。"
    en = "There were too many face checks; try again in {retry_after_seconds}."
    next_zh = "现在即可改用支付密码、通行密钥，请绑定的亲属代办，或携身份证到经办窗口办理。"
    next_en = "At once: password, passkey, a bound relative, or a counter with your ID card."
    retry_after_seconds: Seconds


@dataclass(frozen=True)
class FaceNotPassed(Refusal):
    """The pictures do not show what was asked for."""

    zh = "刷脸未通过：{problem}。今天还可以试{attempts_left}次。"
    en = "The face check did not pass: {problem}. {attempts_left} more are possible today."
    next_zh = "{advice}；也可改用支付密码、通行密钥，请绑定的亲属代办，或携身份证到经办窗口办理。"
    next_en = "Next: {advice}. Or use password, passkey, a bound relative, or a counter."
    problem: FaceProblem
    advice: FaceAdvice
    attempts_left: int


@dataclass(frozen=True)
class FaceActionNotSeen(Refusal):
    """Somebody is there and moves, but one of the actions was not seen."""

    zh = "没有看清“{action}”。今天还可以试{attempts_left}次。"
    en = "This was not seen: {action}. {attempts_left} more are possible today."
    next_zh = "请动作慢一点、幅度大一点；也可改用支付密码、通行密钥，请绑定的亲属代办，或携身份证到经办窗口办理。"
    next_en = "Do it slowly and clearly. Or use password, passkey, a bound relative, or a counter."
    action: FaceAction
    attempts_left: int


@dataclass(frozen=True)
class FaceUnavailable(Refusal):
    """The face check cannot be had now: too many at once, or its process is not running."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "刷脸核验暂时不可用。"
    en = "The face check is not available now."
    next_zh = "请改用支付密码、通行密钥或短信验证码；也可稍后再试。"
    next_en = "Use password, passkey or phone; or try again later."
