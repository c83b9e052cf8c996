"""The home page: everything that works, or in elder mode the few things that are used, in order."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from backend.kernel.errors import Locale
from backend.people import queries
from mobile_bff.context import Info
from mobile_bff.modules import GROUPS, AppModule, ModuleState, modules_of
from mobile_bff.step_up import signed_in
from mobile_bff.words import Words

ELDER_TILES_MAX = 6
_ELDER_MODULES = {
    "D1": Words("出示医保码", "Show my code"),
    "E2": Words("亲属帮我办", "My relatives"),
    "C2": Words("账户余额", "My account"),
    "C3": Words("看病买药记录", "My bills"),
    "B1": Words("找医院", "Find a hospital"),
}
"""In the order in which an elder needs them; with the helpline there are six."""
_HELP = Words("打电话求助", "Call for help")
_HELP_SPOKEN = Words(
    "拨打12393医保服务热线，可以人工办理、冻结账户、结束亲属代办。",
    "Call 12393: a person helps you, freezes your account, or ends what a relative may do.",
)
HELPLINE = "12393"


class TileKind(StrEnum):
    """What a tile opens."""

    MODULE = "MODULE"
    HELPLINE = "HELPLINE"


strawberry.enum(TileKind, description="What a tile of the home page opens.")
for _value in TileKind.__strawberry_definition__.values:  # type: ignore[attr-defined]
    _value.description = {
        "MODULE": "One of the app's modules.",
        "HELPLINE": "A call to a person.",
    }[_value.name]


@strawberry.type(description="A tile of the home page.")
class HomeTile:
    """Something to tap."""

    place: int = strawberry.field(description="Its place, counted from 1.")
    kind: TileKind = strawberry.field(description="What it opens.")
    module_id: strawberry.ID | None = strawberry.field(description="The module, such as D1.")
    phone: str | None = strawberry.field(description="The number to call.")
    title: str = strawberry.field(description="Its title, of at most eight Chinese characters.")
    speech_text: str = strawberry.field(description="What it is for, to be read out.")
    state: ModuleState = strawberry.field(description="How much of it works.")


@strawberry.type(description="The caller's home page.")
class Home:
    """What to show first."""

    elder_mode: bool = strawberry.field(description="Whether it is the elder's page.")
    elder_mode_offered: bool = strawberry.field(description="Whether to offer elder mode.")
    tiles: list[HomeTile] = strawberry.field(
        description="What works, in order; in elder mode at most six, and no advertisement ever."
    )


def _tile(place: int, module: AppModule, title: str, spoken: str) -> HomeTile:
    return HomeTile(
        place=place,
        kind=TileKind.MODULE,
        module_id=strawberry.ID(module.id),
        phone=None,
        title=title,
        speech_text=spoken,
        state=module.state,
    )


async def home(info: Info) -> Home:
    """Return the caller's home page."""
    actor, locale = await signed_in(info), info.context.locale
    chosen = await info.context.door.read(lambda unit: queries.preferences(unit, actor.person_id))
    works = {
        module.id: module
        for group in GROUPS
        for module in modules_of(group)
        if module.state is not ModuleState.PLANNED
    }
    chinese = locale is Locale.ZH
    if chosen.elder_mode:
        shown = [
            (works[key], words.text(locale))
            for key, words in _ELDER_MODULES.items()
            if key in works
        ]
    else:
        shown = [(one, one.short if chinese else one.en) for one in works.values()]
    tiles = [
        _tile(place, module, title, f"{title}。{module.summary}" if chinese else module.en)
        for place, (module, title) in enumerate(shown, 1)
    ]
    tiles.append(
        HomeTile(
            place=len(tiles) + 1,
            kind=TileKind.HELPLINE,
            module_id=None,
            phone=HELPLINE,
            title=_HELP.text(locale),
            speech_text=_HELP_SPOKEN.text(locale),
            state=ModuleState.AVAILABLE,
        )
    )
    return Home(
        elder_mode=chosen.elder_mode, elder_mode_offered=chosen.elder_mode_offered, tiles=tiles
    )
