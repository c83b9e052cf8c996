"""A text in both languages, and what to do next where there is something to do."""

from __future__ import annotations

from dataclasses import dataclass

from backend.kernel.errors import Locale


@dataclass(frozen=True)
class Words:
    """A text, and what to do next where there is something to do."""

    zh: str
    en: str
    next_zh: str = ""
    next_en: str = ""

    def text(self, locale: Locale) -> str:
        """Return the text."""
        return self.zh if locale is Locale.ZH else self.en

    def next_action(self, locale: Locale) -> str:
        """Return what to do next, or nothing."""
        return self.next_zh if locale is Locale.ZH else self.next_en
