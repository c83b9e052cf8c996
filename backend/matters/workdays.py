"""Working days of mainland China, with the State Council's yearly notice of holidays and shifts."""

from __future__ import annotations

from datetime import date

import chinese_calendar


def is_workday(day: date) -> bool:
    """Tell whether offices work on a day. Where no notice is known yet, Monday to Friday count."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def is_announced(day: date) -> bool:
    """Tell whether the notice of a day's year is known; else what is reckoned with it is provisional."""
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True
