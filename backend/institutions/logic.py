"""Pure decisions about institutions: how far, and whether open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import asin, ceil, cos, radians, sin, sqrt

from backend.institutions.contracts import InstitutionView, Point

_EARTH_METRES = 6_371_000
_METRES_A_DEGREE = 111_000
_MILLIONTHS = 1_000_000


def metres_to(here: Point, place: InstitutionView) -> int | None:
    """Return how far an institution is as the crow flies, ``None`` where nobody said where it is."""
    if place.latitude is None or place.longitude is None:
        return None
    return metres_between(here, Point(place.latitude, place.longitude))


def metres_between(here: Point, there: Point) -> int:
    """Return how far two points are from each other as the crow flies."""
    a, b = radians(here.latitude / _MILLIONTHS), radians(there.latitude / _MILLIONTHS)
    east = radians((there.longitude - here.longitude) / _MILLIONTHS)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(east / 2) ** 2
    return round(2 * _EARTH_METRES * asin(min(1.0, sqrt(half))))


def box(here: Point, metres: int) -> tuple[int, int, int, int]:
    """Return a box that holds everything within some metres: south, north, west, east."""
    up = ceil(metres * _MILLIONTHS / _METRES_A_DEGREE)
    narrow = max(0.1, cos(radians(here.latitude / _MILLIONTHS)))
    across = ceil(up / narrow)
    return (
        here.latitude - up,
        here.latitude + up,
        here.longitude - across,
        here.longitude + across,
    )


def is_open(hours: Sequence[str], moment: datetime) -> bool | None:
    """Tell whether a place is open at a moment of its own clock; ``None`` where its hours are unknown."""
    if len(hours) != 7:
        return None
    opens, _, closes = hours[moment.weekday()].partition("-")
    return bool(closes) and opens <= f"{moment:%H:%M}" < closes
