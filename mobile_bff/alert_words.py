"""Words for everything that monitoring can say, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.supervision.contracts import (
    EXPLAINED,
    AlertEvent,
    AlertState,
    Monitor,
    SightingOf,
    Suspect,
)
from mobile_bff.words import Words

_W = Words

ALERT_WORDS: dict[type[Enum], tuple[str, dict[str, _W]]] = {
    Monitor: (
        "A rule over settlements.",
        {
            one.name: _W(words.title_zh, f"{words.title_en[0].upper()}{words.title_en[1:]}.")
            for one, words in EXPLAINED.items()
        },
    ),
    Suspect: (
        "What an alert is about.",
        {
            "PERSON": _W("参保人", "An insured person's code."),
            "TERMINAL": _W("终端", "A terminal."),
            "PACK": _W("药盒", "A pack of a drug."),
        },
    ),
    SightingOf: (
        "In what something was seen.",
        {
            "SETTLEMENT": _W("已结算", "A settlement."),
            "BILL": _W("待结算的结算单", "A bill that was priced."),
            "ATTEMPT": _W("被拒绝的尝试", "An attempt that was refused."),
        },
    ),
    AlertState: (
        "Where an alert stands.",
        {
            "RAISED": _W("待核查", "Raised."),
            "TAKEN": _W("核查中", "An inspector is looking into it."),
            "VIOLATION": _W("认定违规", "It was a violation."),
            "FALSE_ALARM": _W("误报", "It was in order."),
        },
    ),
    AlertEvent: (
        "What an inspector does about an alert.",
        {
            "TAKE": _W("接手", "Take it."),
            "HAND_BACK": _W("退回", "Hand it back."),
            "FIND_VIOLATION": _W("认定违规", "It was a violation; payments are refused."),
            "DISMISS": _W("认定误报", "It was in order; payments go on."),
        },
    ),
}
