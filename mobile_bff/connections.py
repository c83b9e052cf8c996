"""Relay connections: newest first, stable, never more than a hundred at once."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError
from strawberry import relay
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver

PAGE_DEFAULT = 20
PAGE_MAX = 100
_PREFIX = "before:"
_ID_MAX = 100
_DIGITS = 19
"""Digits of a number that may be larger than any row's."""


class BadInput(GraphQLError):
    """An argument cannot be used; the message says which and why."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "BAD_USER_INPUT"})


class ObjectsOnly(FieldExtension):
    """Refuses a global id of the interface itself: no object is a Node and nothing more."""

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Any, **kwargs: Any
    ) -> Any:
        """Look at every id, then go on."""
        ids: list[relay.GlobalID] = kwargs["ids"] if "ids" in kwargs else [kwargs["id"]]
        for one in ids:
            named = one.node_id.isprintable() and len(one.node_id) <= _ID_MAX
            if one.type_name == relay.Node.__name__ or not named:
                raise BadInput("an id names a type of object and one of its kind")
        outcome = await next_(source, info, **kwargs)
        return await outcome if isawaitable(outcome) else outcome


def page_size(first: int | None) -> int:
    """Return how many to show, or raise ``BadInput``."""
    wanted = PAGE_DEFAULT if first is None else first
    if not 0 <= wanted <= PAGE_MAX:
        raise BadInput(f"first lies between 0 and {PAGE_MAX}")
    return wanted


def position(after: str | None) -> int | None:
    """Return the number below which to go on, or raise ``BadInput`` for a cursor not of ours."""
    if after is None:
        return None
    try:
        text = base64.b64decode(after, validate=True).decode("ascii")
        number = int(text.removeprefix(_PREFIX))
    except ValueError:
        raise BadInput("after is not a cursor of this list") from None
    if not text.startswith(_PREFIX) or not 0 < number < 2**63:
        raise BadInput("after is not a cursor of this list")
    return number


def row_number(text: str, argument: str) -> int:
    """Return the number that a row goes by, or raise ``BadInput`` for text that is none."""
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise BadInput(f"{argument} is a number that this list has shown")
    return int(text)


def connection(nodes: Sequence[tuple[int, Any]], first: int, after: str | None) -> Any:
    """Return a connection of (number, node) pairs of which one more than ``first`` was fetched."""
    edges: list[relay.Edge[Any]] = [
        relay.Edge(cursor=_cursor(number), node=node) for number, node in nodes[:first]
    ]
    page = relay.PageInfo(
        has_next_page=len(nodes) > first,
        has_previous_page=after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return relay.Connection(page_info=page, edges=edges)


def _cursor(number: int) -> str:
    return base64.b64encode(f"{_PREFIX}{number}".encode()).decode()
