"""Words for what notices are about, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.notices.contracts import NoticeTopic
from mobile_bff.words import Words

_W = Words

NOTICE_WORDS: dict[type[Enum], tuple[str, dict[str, _W]]] = {
    NoticeTopic: (
        "What a notice is about.",
        {
            "SECURITY": _W("账户安全", "The account's safety; cannot be muted."),
            "MONEY": _W("资金变动", "Money; cannot be muted."),
            "CARE": _W("就医用药", "Appointments and prescriptions."),
            "AFFAIRS": _W("办事进度", "Applications, papers, filings and outages."),
        },
    ),
}
