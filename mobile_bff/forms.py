"""What an application asks for, line by line, for whoever reads it: the applicant and the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import strawberry

from backend.applications.service import PROCEDURES
from backend.choices.contracts import ChoiceForm, TeamForm
from backend.claims.contracts import ClaimForm
from backend.complaints.contracts import ComplaintForm
from backend.enrolment.contracts import EnrolForm, TransferForm
from backend.entitlements.contracts import CapitationForm, ChronicForm
from backend.filings.contracts import FilingForm
from backend.kernel.errors import Locale
from backend.kernel.masking import mask_account, mask_name
from backend.matters.contracts import MatterKind, MatterView
from backend.regions.library import area_name
from mobile_bff.explanation import disease_name
from mobile_bff.scalars import money
from mobile_bff.wording import status

Line = tuple[str, str, str]
"""Label in Chinese, label in English, text."""


@strawberry.type(description="A line of what is applied for.")
class FormLine:
    """A label and what stands there."""

    label: str = strawberry.field(description="What it is.")
    text: str = strawberry.field(description="What stands there.")


def form_lines(matter: MatterView, locale: Locale, names: Mapping[str, str]) -> list[FormLine]:
    """Return what an application asks for; codes and ids are told by name."""
    form = PROCEDURES[matter.kind].read(matter)
    return [
        FormLine(
            label=zh if locale is Locale.ZH else en,
            text=" ".join(names.get(word, word) for word in text.split(" ")),
        )
        for zh, en, text in _LINES[matter.kind](form, locale)
        if text
    ]


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _filing(form: FilingForm, locale: Locale) -> list[Line]:
    return [
        ("备案类型", "Kind", status(form.kind, locale).text),
        ("就医地", "Place of care", area_name(form.area_code)),
        ("开始", "From", _day(form.starts)),
        ("结束", "Until", _day(form.ends)),
        ("办理方式", "Shown by", status(form.route, locale).text),
    ]


def _cancel(form: dict[str, str], locale: Locale) -> list[Line]:
    return []


def _chronic(form: ChronicForm, locale: Locale) -> list[Line]:
    return [
        ("病种", "Disease", disease_name(form.disease, locale)),
        ("认定医院", "Hospital", form.hospital_code),
    ]


def _complaint(form: ComplaintForm, locale: Locale) -> list[Line]:
    return [
        ("类别", "Kind", status(form.about, locale).text),
        ("主题", "Topic", status(form.topic, locale).text),
        ("受理地", "Area", area_name(form.area_code)),
        ("机构", "Institution", form.institution_code),
        ("发生日期", "Day", _day(form.happened_on)),
        ("内容", "Words", form.words),
    ]


def _capitation(form: CapitationForm, locale: Locale) -> list[Line]:
    return [
        ("申请事项", "What", status(form.act, locale).text),
        ("试点医院", "Pilot hospital", form.hospital_code),
        ("月份", "Months", " ".join(f"{month:%Y-%m}" for month in form.months)),
        ("原因", "Why", form.words),
    ]


def _claim(form: ClaimForm, locale: Locale) -> list[Line]:
    yes = "是" if locale is Locale.ZH else "yes"
    return [
        ("原因", "Reason", status(form.reason, locale).text),
        ("就医机构", "Institution", form.institution_code),
        ("就医类别", "Care", status(form.care, locale).text),
        ("开始", "From", _day(form.first)),
        ("结束", "Until", _day(form.last)),
        ("病种", "Disease", disease_name(form.disease, locale) if form.disease else ""),
        ("急诊", "Emergency", yes if form.emergency else ""),
        ("外伤", "Injury", yes if form.injury else ""),
        ("发票号码", "Invoices", " ".join(form.invoices)),
        ("发票总额", "Sum of the invoices", money(form.total_fen, locale).text),
        ("收款户名", "Holder of the account", mask_name(form.account.holder)),
        ("开户银行", "Bank", form.account.bank),
        ("收款账号", "Account", mask_account(form.account.number)),
    ]


def _choice(form: ChoiceForm, locale: Locale) -> list[Line]:
    return [("选定机构", "Institutions", " ".join(form.institution_codes))]


def _team(form: TeamForm, locale: Locale) -> list[Line]:
    return [("家庭医生团队", "Doctor team", form.team_id)]


def _enrolment(form: EnrolForm, locale: Locale) -> list[Line]:
    here = ("本地户籍", "of here") if form.local_household else ("外地户籍", "of elsewhere")
    return [
        ("参保地", "Place", area_name(form.division_code)),
        ("人员类别", "Kind of person", status(form.person_kind, locale).text),
        ("缴费档次", "Tier", form.tier),
        ("参保年度", "Year", str(form.year)),
        ("居住地址", "Address", form.address),
        ("户籍", "Household register", here[0 if locale is Locale.ZH else 1]),
    ]


def _transfer(form: TransferForm, locale: Locale) -> list[Line]:
    return [
        ("转出地", "From", area_name(form.from_area)),
        ("转出地个人编号", "Person number there", form.from_number),
    ]


_LINES: dict[MatterKind, Callable[[Any, Locale], list[Line]]] = {
    MatterKind.FILING: _filing,
    MatterKind.FILING_CANCEL: _cancel,
    MatterKind.CHRONIC: _chronic,
    MatterKind.CAPITATION: _capitation,
    MatterKind.CLAIM: _claim,
    MatterKind.CHOICE: _choice,
    MatterKind.DOCTOR_TEAM: _team,
    MatterKind.COMPLAINT: _complaint,
    MatterKind.ENROLMENT: _enrolment,
    MatterKind.TRANSFER: _transfer,
}
