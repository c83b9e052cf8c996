"""What may stand in the journal of the processes: where something failed and of what class, no content.

An exception's message quotes what it choked on: a validation error the input, a database the key that
stands already, a conversion the text. So a log record never holds a message of an exception, only its
class, the states of databases and systems, and the lines of code that it came through. Messages of the
few classes that are written to name no content are kept.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from backend.infra.sealing import SealBroken
from backend.kernel.invariants import InvariantBroken

F = TypeVar("F")
_CHAIN_MAX = 10
_NAME_MAX = 40


class ContentUnreadable(Exception):
    """Stored content does not have its form; the message names fields only."""


_WITHOUT_CONTENT = (InvariantBroken, SealBroken, ContentUnreadable)


def read_content(form: TypeAdapter[F], text: str) -> F:
    """Return stored JSON in its form. Raises ``ContentUnreadable``, which quotes nothing of it."""
    try:
        return form.validate_json(text)
    except ValidationError as error:
        problem = ContentUnreadable(_fields_of(error))
    raise problem


def keep_contents_out() -> None:
    """Let every logger of this process write exceptions without their messages. Twice is no error."""
    if not isinstance(logging.getLogRecordFactory(), _Records):
        logging.setLogRecordFactory(_Records())


class _Records:
    """Makes log records, their exceptions already told."""

    def __call__(self, *given: Any, **named: Any) -> logging.LogRecord:
        record = logging.LogRecord(*given, **named)
        if isinstance(record.msg, BaseException):
            record.msg = _class_of(record.msg)
        if record.name == "asyncio" and record.levelno >= logging.ERROR:
            record.msg = str(record.msg).partition("\n")[0]  # its context quotes what a task raised
        if isinstance(record.args, tuple):
            record.args = tuple(_argument(one) for one in record.args)
        if record.exc_info is not None and record.exc_info[1] is not None:
            record.exc_text = _told(record.exc_info[1])
        record.exc_info = None
        return record


def _argument(value: object) -> object:
    return _class_of(value) if isinstance(value, BaseException) else value


def _told(error: BaseException) -> str:
    """Return the stack of an exception, and of those behind it, the first cause first."""
    parts = []
    for one in reversed(list(_chain(error))):
        stack = "".join(
            traceback.StackSummary.extract(traceback.walk_tb(one.__traceback__)).format()
        )
        parts.append(f"Traceback (most recent call last):\n{stack}{_headline(one)}")
    return "\n\n".join(parts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(_CHAIN_MAX):
        if following is None:
            return
        yield following
        if isinstance(following, BaseExceptionGroup):
            yield from following.exceptions
        behind = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or behind


def _headline(error: BaseException) -> str:
    name = _class_of(error)
    if isinstance(error, _WITHOUT_CONTENT):
        return f"{name}: {error}"
    if isinstance(error, ValidationError):
        return f"{name}: {_fields_of(error)}"
    state = getattr(getattr(error, "orig", error), "sqlstate", None) or getattr(
        error, "errno", None
    )
    return name if state is None else f"{name} ({state})"


def _class_of(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _fields_of(error: ValidationError) -> str:
    """Return which fields are wrong and how, without what stands in them."""
    told = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(_name_of, one['loc']))} {one['type']}" for one in told)


def _name_of(part: int | str) -> str:
    """Return the name of a field; what is no name may be content."""
    named = isinstance(part, int) or (part.isidentifier() and part.isascii())
    return str(part) if named and len(str(part)) <= _NAME_MAX else "?"
