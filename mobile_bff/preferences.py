"""What a person has chosen for every device of theirs: elder mode, and how to be told."""

from __future__ import annotations

from typing import Any

import strawberry

from backend.access.contracts import SignInRequired
from backend.people import queries, service
from backend.people.contracts import NoticeBy, Preferences, SetPreferences
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.step_up import signed_in


@strawberry.type(name="Preferences", description="What a person has chosen for every device.")
class PreferencesType:
    """The choices."""

    elder_mode: bool = strawberry.field(
        description="Fewer and larger things, read aloud; it belongs to the person."
    )
    elder_mode_offered: bool = strawberry.field(
        description="Whether the app should offer it: from sixty."
    )
    notice_by: NoticeBy = strawberry.field(description="How the person wants to be told.")


@strawberry.input(description="Sets the preferences.")
class SetPreferencesInput:
    """The choices."""

    elder_mode: bool = strawberry.field(description="Whether elder mode is on.")
    notice_by: NoticeBy = strawberry.field(description="How to be told.")


def _shown(view: Preferences) -> PreferencesType:
    return PreferencesType(
        elder_mode=view.elder_mode,
        elder_mode_offered=view.elder_mode_offered,
        notice_by=view.notice_by,
    )


async def preferences(info: Info) -> PreferencesType:
    """Return the caller's preferences."""
    actor = await signed_in(info)
    return _shown(
        await info.context.door.read(lambda unit: queries.preferences(unit, actor.person_id))
    )


@strawberry.type
class PreferenceMutations:
    """Choosing."""

    @strawberry.mutation(
        description="Choose elder mode and how to be told.",
        graphql_type=result_union("SetPreferencesResult", PreferencesType, (SignInRequired,)),
    )
    async def set_preferences(self, info: Info, input: SetPreferencesInput) -> Any:
        """Set the caller's preferences."""
        outcome = await info.context.act(
            service.set_preferences,
            lambda actor: SetPreferences(actor, input.elder_mode, input.notice_by),
        )
        return answer(outcome, info.context.locale, _shown)
