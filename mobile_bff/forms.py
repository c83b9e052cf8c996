"""What an application asks for, line by line, for whoever reads it: the applicant and the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import strawberry

from backend.applications.service import PROCEDURES
from backend.entitlements.contracts import ChronicForm
from backend.filings.contracts import FilingForm
from backend.kernel.errors import Locale
from backend.matters.contracts import MatterKind, MatterView
from backend.regions.library import area_name
from mobile_bff.explanation import disease_name
from mobile_bff.wording import status

Line = tuple[str, str, str]
"""Label in Chinese, label in English, text."""


@strawberry.type(description="A line of what is applied for.")
class FormLine:
    """A label and what stands there."""

    label: str = strawberry.field(description="What it is.")
    text: str = strawberry.field(description="What stands there.")


def form_lines(matter: MatterView, locale: Locale) -> list[FormLine]:
    """Return what an application asks for."""
    form = PROCEDURES[matter.kind].read(matter)
    return [
        FormLine(label=zh if locale is Locale.ZH else en, text=text)
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


_LINES: dict[MatterKind, Callable[[Any, Locale], list[Line]]] = {
    MatterKind.FILING: _filing,
    MatterKind.FILING_CANCEL: _cancel,
    MatterKind.CHRONIC: _chronic,
}
