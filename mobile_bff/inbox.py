"""消息: the inbox, when and of what somebody wants to be told, and devices that are pushed to."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import relay

from backend.access.contracts import SignInRequired
from backend.kernel.errors import Locale
from backend.notices import queries, service
from backend.notices.contracts import (
    NoticeChoices,
    NoticeChoicesInvalid,
    NoticeTopic,
    NoticeView,
    ReadNotices,
    RegisterPush,
    SetNoticeChoices,
)
from mobile_bff.connections import BadInput, connection, page_size, position
from mobile_bff.context import Info
from mobile_bff.errors import answer, result_union
from mobile_bff.step_up import signed_in

_NUMBER = "[0-9]{1,18}"
_UP_TO = re.compile(
    rf"(?P<number>{_NUMBER})(\.(?P<snapshot>{_NUMBER}:{_NUMBER}:({_NUMBER}(,{_NUMBER}){{0,9999}})?))?"
)
"""A notice's number, and the snapshot in which the inbox showed it. Older apps may have the number alone."""


@strawberry.type(name="Notice", description="Something that the caller was told.")
class NoticeType:
    """What, and when."""

    notice_id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(
        description="Its number in the inbox, to mark all as read that was shown up to it."
    )
    kind: str = strawberry.field(description="The template's name, for an app that draws icons.")
    topic: NoticeTopic = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="A few words.")
    text: str = strawberry.field(description="What happened, and what to do.")
    speech_text: str = strawberry.field(description="Both, to be read aloud.")
    at: datetime = strawberry.field(description="When.")
    read_at: datetime | None = strawberry.field(description="When it was read; null: not yet.")


@strawberry.type(name="NoticeChoices", description="When and of what the caller wants to be told.")
class ChoicesType:
    """The choices."""

    quiet_from: str = strawberry.field(description="When the quiet hours begin, as 22:00.")
    quiet_until: str = strawberry.field(
        description="When they end. The same as their beginning: no hours are quiet."
    )
    muted: list[NoticeTopic] = strawberry.field(description="Topics that stay in the inbox.")
    devices: int = strawberry.field(description="How many devices are pushed to.")


@strawberry.type(name="NoticesRead", description="Notices were marked as read.")
class ReadType:
    """How many are left."""

    unread: int = strawberry.field(description="How many are still unread.")


@strawberry.input(description="Chooses quiet hours and topics that stay in the inbox.")
class SetNoticeChoicesInput:
    """The choices."""

    quiet_from: str = strawberry.field(description="When the quiet hours begin, as 22:00.")
    quiet_until: str = strawberry.field(description="When they end.")
    muted: list[NoticeTopic] = strawberry.field(
        description="Topics that stay in the inbox; security and money cannot."
    )


@strawberry.input(description="Names the calling device to the push gateway.")
class RegisterPushInput:
    """Its token."""

    token: str = strawberry.field(description="The push token; empty: push no more.")


@strawberry.input(description="Marks notices as read.")
class ReadNoticesInput:
    """Up to which."""

    up_to: str = strawberry.field(description="The number of the newest notice that was seen.")


def _notice(view: NoticeView, locale: Locale) -> NoticeType:
    which = 0 if locale is Locale.ZH else 1
    title, text = view.title[which], view.text[which]
    return NoticeType(
        notice_id=strawberry.ID(view.id),
        number=f"{view.number}.{view.snapshot}" if view.snapshot else str(view.number),
        kind=view.kind,
        topic=view.topic,
        title=title,
        text=text,
        speech_text=f"{title}。{text}" if locale is Locale.ZH else f"{title}. {text}",
        at=view.at,
        read_at=view.read_at,
    )


def _choices(view: NoticeChoices) -> ChoicesType:
    return ChoicesType(
        quiet_from=view.quiet_from,
        quiet_until=view.quiet_until,
        muted=list(view.muted),
        devices=view.devices,
    )


@strawberry.type
class InboxQueries:
    """Reading notices."""

    @strawberry.field(
        description="The caller's notices, the newest first.",
        graphql_type=relay.Connection[NoticeType],  # type: ignore[type-var] # no node of its own
    )
    async def notices(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        unread_only: Annotated[
            bool | None, strawberry.argument(description="Only what is not read yet.")
        ] = False,
    ) -> Any:
        """Return a page of the inbox."""
        actor, size, before = await signed_in(info), page_size(first), position(after)
        found = await info.context.door.read(
            lambda unit: queries.inbox(unit, actor.person_id, before, size + 1, bool(unread_only))
        )
        locale = info.context.locale
        return connection([(one.number, _notice(one, locale)) for one in found], size, after)

    @strawberry.field(description="How many notices the caller has not read.")
    async def unread_notices(self, info: Info) -> int:
        """Return a number for the app's badge."""
        actor = await signed_in(info)
        return await info.context.door.read(lambda unit: queries.unread(unit, actor.person_id))

    @strawberry.field(description="When and of what the caller wants to be told.")
    async def notice_choices(self, info: Info) -> ChoicesType:
        """Return the choices."""
        actor = await signed_in(info)
        return _choices(
            await info.context.door.read(lambda unit: queries.choices(unit, actor.person_id))
        )


@strawberry.type
class InboxMutations:
    """Choosing, registering and reading."""

    @strawberry.mutation(
        description="Choose quiet hours, and topics that stay in the inbox.",
        graphql_type=result_union(
            "SetNoticeChoicesResult", ChoicesType, (SignInRequired, NoticeChoicesInvalid)
        ),
    )
    async def set_notice_choices(self, info: Info, input: SetNoticeChoicesInput) -> Any:
        """Choose."""
        muted = tuple(input.muted)
        outcome = await info.context.act(
            service.set_choices,
            lambda actor: SetNoticeChoices(actor, input.quiet_from, input.quiet_until, muted),
        )
        return answer(outcome, info.context.locale, _choices)

    @strawberry.mutation(
        description="Let the calling device be pushed to while its session lasts, or no more.",
        graphql_type=result_union(
            "RegisterPushResult", ChoicesType, (SignInRequired, NoticeChoicesInvalid)
        ),
    )
    async def register_push(self, info: Info, input: RegisterPushInput) -> Any:
        """Register a device."""
        outcome = await info.context.act(
            service.register_push, lambda actor: RegisterPush(actor, input.token)
        )
        return answer(outcome, info.context.locale, _choices)

    @strawberry.mutation(
        description="Mark notices as read, up to one.",
        graphql_type=result_union("ReadNoticesResult", ReadType, (SignInRequired,)),
    )
    async def read_notices(self, info: Info, input: ReadNoticesInput) -> Any:
        """Mark as read."""
        parts = _UP_TO.fullmatch(input.up_to)
        if parts is None:
            raise BadInput("upTo is a notice's number")
        up_to, snapshot = int(parts["number"]), parts["snapshot"] or ""
        outcome = await info.context.act(
            service.read_notices, lambda actor: ReadNotices(actor, up_to, snapshot)
        )
        return answer(outcome, info.context.locale, lambda view: ReadType(unread=view.unread))
