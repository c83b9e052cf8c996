"""Pure decisions about tickets: whose desk a level is."""

from __future__ import annotations

from backend.coordination.contracts import Side
from backend.regions.library import province_code

LEVELS = {
    1: ("县（区）经办", "the county's desk"),
    2: ("市（州）经办", "the city's desk"),
    3: ("省级经办", "the province's desk"),
    4: ("两省协同", "both provinces"),
    5: ("国家平台", "the national platform"),
}
"""五级. Which desk works a level here says ``region_of``; the fifth is asked from the province's desk."""
_CITY = 2


def region_of(side: Side, level: int, division: str, place_area: str, home_area: str) -> str:
    """Return the region whose clerks work a ticket of a side and level.

    ``division`` is the county of the institution. What lies in another province is worked by the
    insured area's own province, which speaks to the other.
    """
    own = province_code(home_area)
    if side is Side.PLACE and province_code(place_area) != own:
        return f"{own}0000"
    if level > _CITY:
        return f"{own}0000"
    if side is Side.HOME:
        return home_area
    return division if level < _CITY else place_area
