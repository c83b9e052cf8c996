"""Commands, views and refusals of the unified code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backend.access.contracts import Actor
from backend.institutions.contracts import InstitutionKind
from backend.kernel.errors import Locale, Refusal, Retry
from backend.kernel.states import StateTable


class Purpose(StrEnum):
    """What a code may be used for (用码业务类型)."""

    PHARMACY_PURCHASE = "PHARMACY_PURCHASE"
    OUTPATIENT_SETTLEMENT = "OUTPATIENT_SETTLEMENT"
    HOSPITAL_ADMISSION = "HOSPITAL_ADMISSION"

    @property
    def national_code(self) -> str:
        """Return the code of the national interface (``businessType``)."""
        return {
            "PHARMACY_PURCHASE": "02121",
            "OUTPATIENT_SETTLEMENT": "01301",
            "HOSPITAL_ADMISSION": "01103",
        }[self.value]

    @property
    def place(self) -> InstitutionKind:
        """Return where such a code can be scanned."""
        if self is Purpose.PHARMACY_PURCHASE:
            return InstitutionKind.PHARMACY
        return InstitutionKind.HOSPITAL


class CodeState(StrEnum):
    """States of a code. Expiry is a matter of the clock and no state of its own."""

    ISSUED = "ISSUED"
    DECODED = "DECODED"
    VOIDED = "VOIDED"


class CodeEvent(StrEnum):
    """What can happen to a code."""

    SCAN = "SCAN"
    VOID = "VOID"


CODE_STATES: StateTable[CodeState, CodeEvent] = StateTable(
    name="code",
    title="统一码 the unified code",
    initial=(CodeState.ISSUED,),
    moves={
        (CodeState.ISSUED, CodeEvent.SCAN): CodeState.DECODED,
        (CodeState.ISSUED, CodeEvent.VOID): CodeState.VOIDED,
    },
)


class CodeKind(StrEnum):
    """Which of the world's codes a scanned text is."""

    UNIFIED = "UNIFIED"
    """Ours: 28 digits, one use, a minute."""
    NATIONAL = "NATIONAL"
    """The national insurance code: 28 digits that begin with 424, or ``opc`` of a mini program."""
    HEALTH_CARD = "HEALTH_CARD"
    """The electronic health card: parts separated by colons."""
    SIGNED = "SIGNED"
    """A signed identity code, of this or another region."""
    PRINTED = "PRINTED"
    """Printed at a counter for somebody without a phone."""
    ID_CARD = "ID_CARD"
    """A resident identity card read by the terminal."""
    OTHER = "OTHER"
    """A hospital's own card or a payment code: whoever issued it knows it."""

    def text(self, locale: Locale) -> str:
        """Return what people call it."""
        return _KINDS[self.value][0 if locale is Locale.ZH else 1]


class Authority(StrEnum):
    """Who can say whose code it is."""

    THIS_PROVINCE = "THIS_PROVINCE"
    NATIONAL_PLATFORM = "NATIONAL_PLATFORM"
    OTHER_PROVINCE = "OTHER_PROVINCE"
    INSTITUTION = "INSTITUTION"

    def text(self, locale: Locale) -> str:
        """Return what people call it."""
        return _AUTHORITIES[self.value][0 if locale is Locale.ZH else 1]


_KINDS = {
    "UNIFIED": ("统一码", "unified code"),
    "NATIONAL": ("国家医保码", "national insurance code"),
    "HEALTH_CARD": ("电子健康卡", "electronic health card"),
    "SIGNED": ("签名身份码", "signed identity code"),
    "PRINTED": ("打印身份码", "printed identity code"),
    "ID_CARD": ("居民身份证", "identity card"),
    "OTHER": ("院内卡或付款码", "hospital card or payment code"),
}
_AUTHORITIES = {
    "THIS_PROVINCE": ("本省医保", "this province"),
    "NATIONAL_PLATFORM": ("国家医保信息平台", "the national platform"),
    "OTHER_PROVINCE": ("其他省医保", "another province"),
    "INSTITUTION": ("发卡机构", "whoever issued it"),
}


@dataclass(frozen=True)
class IdCardReading:
    """What a terminal's reader has read off an identity card."""

    name: str
    id_number: str


@dataclass(frozen=True)
class HealthCard:
    """A person's electronic health card. ``text`` is valid for some minutes, or for good if static."""

    card_id: str
    text: str
    valid_until: datetime | None


@dataclass(frozen=True)
class SignedIdentity:
    """A signed identity code to be shown without a network."""

    serial: str
    text: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class PrintedIdentity:
    """A code to be printed. It can be made again, which voids the one before; it is shown once."""

    id: str
    text: str
    made_at: datetime


@dataclass(frozen=True)
class ShowHealthCard:
    """A person, or a relative who may show codes, wants the health card."""

    actor: Actor
    person_id: str
    dynamic: bool


@dataclass(frozen=True)
class IssueIdentityCode:
    """A person, or a relative who may show codes, wants a signed identity code."""

    actor: Actor
    person_id: str


@dataclass(frozen=True)
class MakePrintedCode:
    """A person, or a relative who may show codes, wants a code to print."""

    actor: Actor
    person_id: str


@dataclass(frozen=True)
class RevokeIdentityCodes:
    """A person takes back all signed and printed codes."""

    actor: Actor
    person_id: str


@dataclass(frozen=True)
class IdentityCodesRevoked:
    """So many were taken back."""

    signed: int
    printed: int


@dataclass(frozen=True)
class IssueCode:
    """A signed-in person asks for a code to show at a till."""

    actor: Actor
    person_id: str
    purpose: Purpose
    request_id: str


@dataclass(frozen=True)
class IssuedCode:
    """A fresh code. ``text`` is 28 digits that say nothing about anybody.

    ``refresh_at`` is when the app should ask for the next one: a little before this one expires.
    """

    id: str
    text: str
    purpose: Purpose
    issued_at: datetime
    expires_at: datetime
    refresh_at: datetime


@dataclass(frozen=True)
class CodeUnreadable(Refusal):
    """The scanned text is no code of ours: wrong length, prefix or check digits."""

    zh = "无法识别这个码：请扫描本省医保APP出示的28位统一码。"
    en = "This is no code of ours; scan the 28-digit code that the provincial app shows."
    next_zh = "请患者在APP中打开“亮码”后重新扫描；也可使用身份证或社保卡。"
    next_en = "Ask the patient to open the code in the app and scan again, or use an ID card."


@dataclass(frozen=True)
class CodeUnknown(Refusal):
    """The code is well formed but was never issued."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这个码不是由本系统签发的。"
    en = "This code was never issued."
    next_zh = "请勿受理，并请患者在APP中重新亮码。"
    next_en = "Do not accept it; ask the patient to open a new code in the app."


@dataclass(frozen=True)
class CodeExpired(Refusal):
    """The code was not scanned in time."""

    zh = "二维码已于{expired_at}过期。"
    en = "The code expired at {expired_at}."
    next_zh = "请患者刷新二维码后重新扫描。"
    next_en = "Ask the patient to refresh the code and scan again."
    expired_at: datetime


@dataclass(frozen=True)
class CodeUsed(Refusal):
    """The code has been scanned already, here or at another till."""

    zh = "二维码已在{used_at}被扫描过，每个码只能使用一次。"
    en = "The code was scanned at {used_at}; each code serves once."
    next_zh = "请患者刷新二维码；如未在别处出示过，请患者在APP中查看并冻结账户。"
    next_en = (
        "Ask for a fresh code; if it was shown nowhere else, the patient should check the app."
    )
    used_at: datetime


@dataclass(frozen=True)
class CodeVoided(Refusal):
    """A newer code replaced this one."""

    zh = "这个二维码已被新的二维码替换。"
    en = "A newer code has replaced this one."
    next_zh = "请扫描患者手机上当前显示的二维码。"
    next_en = "Scan the code that the phone shows now."


@dataclass(frozen=True)
class CodeForOtherPurpose(Refusal):
    """The code was issued for something else."""

    zh = "这个码的用途是“{issued_for}”，不能用于“{asked_for}”。"
    en = "The code was issued for {issued_for}, not for {asked_for}."
    next_zh = "请患者在APP中选择正确的用途后重新亮码。"
    next_en = "Ask the patient to choose the right purpose in the app and show a new code."
    issued_for: str
    asked_for: str


@dataclass(frozen=True)
class PurposeNotHere(Refusal):
    """The kind of institution does not do what the purpose names."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "“{asked_for}”不能在这类机构办理。"
    en = "{asked_for} is not done at this kind of institution."
    next_zh = "药店请选择“购药”，医疗机构请选择“门诊结算”或“入院登记”。"
    next_en = "A pharmacy asks for a purchase, a hospital for outpatient care or an admission."
    asked_for: str


@dataclass(frozen=True)
class GrantNotValid(Refusal):
    """The token from a scan is unknown, expired, used up, or belongs to another terminal."""

    zh = "本次扫码授权无效、已过期、已用完或属于其他终端。"
    en = "The authority from the scan is unknown, expired, used up, or another terminal's."
    next_zh = "请患者重新亮码，由本终端扫描。"
    next_en = "Ask the patient for a new code and scan it at this terminal."


class NationalSilence(StrEnum):
    """Why the national platform names nobody."""

    SILENT = "SILENT"
    """It does not answer, or what came was not signed by it."""
    NO_CODE = "NO_CODE"
    """It knows no such code: used, past its minute, or never issued (500159)."""
    MASKED = "MASKED"
    """It answers without the whole ID number."""


@dataclass(frozen=True)
class NationalHolder:
    """Whom the national platform names, and where it has them insured (``insuOrg``)."""

    name: str
    id_number: str
    area_code: str


NationalAnswer = NationalHolder | NationalSilence


@dataclass(frozen=True)
class NationalPlatformSilent(Refusal):
    """The national platform does not say whose code it is, because it does not answer."""

    retry: ClassVar[Retry] = Retry.SAME_REQUEST
    zh = "国家医保信息平台暂时没有响应，无法识别这个医保码。"
    en = "The national platform does not answer, so this code cannot be resolved now."
    next_zh = "请患者改用本省医保APP亮码，或读取身份证继续办理；也可稍后重试。"
    next_en = "Ask for the provincial app's code or read the ID card; or try again in a moment."


@dataclass(frozen=True)
class InsuredElsewhere(Refusal):
    """The holder is known to the national platform and not insured in this province."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "持码人参保地为{area}，不在本省参保。"
    en = "The holder is insured in {area}, not in this province."
    next_zh = "请按异地就医流程办理；未备案的可现场补办备案，或先自费后回参保地报销。"
    next_en = "Serve them as a patient from elsewhere; or they pay and claim at home."
    area: str


@dataclass(frozen=True)
class CodeOfOtherAuthority(Refusal):
    """The text is a code of somebody else's, who alone can say whose it is."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这是{authority}签发的{kind}，本终端不能直接识别。"
    en = "This is a {kind} of {authority}, which this terminal cannot resolve."
    next_zh = "请患者改用本省医保APP亮码，或读取身份证；院内卡请用本院系统识别。"
    next_en = (
        "Ask for the provincial app's code, or read the ID card; hospital cards are the hospital's."
    )
    kind: CodeKind
    authority: Authority


@dataclass(frozen=True)
class CodeRevoked(Refusal):
    """The printed or signed code was taken back, or its time is over."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这个码已作废或已过期。"
    en = "The code was taken back or is past its time."
    next_zh = "请读取身份证，或请本人在APP中重新生成。"
    next_en = "Read the ID card, or ask the person to make a new one in the app."


@dataclass(frozen=True)
class DocumentDiffers(Refusal):
    """The ID card belongs to somebody else than the code, or to nobody registered."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "身份证与码不是同一人，或该人员未登记。"
    en = "ID card and code are not the same person's, or nobody registered."
    next_zh = "请核对是否人证相符；不符的，请勿受理并报告医保局。"
    next_en = "Compare the person with the card; if they differ, do not accept and report it."
