"""Refusals: everything that the system may say no to, as typed values that people can act on.

A refusal is a frozen dataclass. Its fields are the facts that a person needs; its texts are templates
over these facts; its ``retry`` tells a program what to do next. Anything that is not a refusal is a
fault of ours: it is raised, masked at the edge, and carries a request id only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, NewType, Protocol, get_type_hints, runtime_checkable

from backend.kernel.calendar import local_minute
from backend.kernel.money import Fen, yuan_text

Seconds = NewType("Seconds", int)
"""A length of time that a refusal names."""


class Locale(StrEnum):
    """The languages that texts come in."""

    ZH = "zh-Hans"
    EN = "en"


class OperatorError(Exception):
    """What an operator has to put right; the message says what. A command prints it and ends."""


@runtime_checkable
class Named(Protocol):
    """A value that a sentence shows by a name instead of by its code."""

    def text(self, locale: Locale) -> str:
        """Return the name."""
        ...


class Retry(StrEnum):
    """What a program should do after a refusal."""

    SAME_REQUEST = "SAME_REQUEST"
    """Repeat the very same request, with its key, once what stands in the way has passed."""

    NEW_REQUEST = "NEW_REQUEST"
    """Send a new request, with a new key, after the next action has been taken."""

    NEVER = "NEVER"
    """Do not try again; the answer will not change."""


@dataclass(frozen=True)
class Refusal:
    """Base of all refusals. Subclasses set the class texts and add their facts as fields."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""
    next_zh: ClassVar[str] = ""
    next_en: ClassVar[str] = ""

    @classmethod
    def code(cls) -> str:
        """Return the machine code: the class name in upper snake case."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).upper()

    def message(self, locale: Locale) -> str:
        """Return what happened, in a sentence that can be read out."""
        return self._text(self.zh if locale is Locale.ZH else self.en, locale)

    def next_action(self, locale: Locale) -> str:
        """Return what to do next, in a sentence that can be read out."""
        return self._text(self.next_zh if locale is Locale.ZH else self.next_en, locale)

    def _text(self, template: str, locale: Locale) -> str:
        hints = get_type_hints(type(self))
        values = {
            item.name: _shown(getattr(self, item.name), hints[item.name], locale)
            for item in fields(self)
        }
        return template.format_map(values)


def _shown(value: Any, hint: Any, locale: Locale) -> str:
    if hint is Fen:
        return f"{yuan_text(value)}元" if locale is Locale.ZH else f"CNY {yuan_text(value)}"
    if hint is Seconds:
        return f"{value}秒" if locale is Locale.ZH else f"{value} seconds"
    if isinstance(value, Named):
        return value.text(locale)
    if isinstance(value, datetime):
        return local_minute(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        named = (item.text(locale) if isinstance(item, Named) else str(item) for item in value)
        return ("、" if locale is Locale.ZH else ", ").join(named)
    if isinstance(value, Mapping):
        raise TypeError("a refusal's facts are flat")
    return str(value)
