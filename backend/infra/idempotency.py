"""Request keys: the same key with the same content always gets the answer it got first.

The record is written in the transaction of the effect, so there is no moment at which one exists
without the other. Two requests with one key at the same time meet at its primary key: the second
waits for the first and gets its answer. Answers hold tokens and masked names, so they are sealed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

from pydantic import TypeAdapter

from backend.infra.columns import canonical_json
from backend.infra.database import Unit, insert_new
from backend.infra.journal import read_content
from backend.infra.model import IdempotencyRecord
from backend.kernel.errors import Refusal, Retry

KEY_LENGTH_MAX = 64
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}  # one a class, made at its first use
T = TypeVar("T")


@dataclass(frozen=True)
class RequestKeyReused(Refusal):
    """The request key has already served for a request with other content."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "这个请求编号已用于内容不同的另一次请求。"
    en = "This request key has already been used for a request with different content."
    next_zh = "请为新的请求生成新的编号后再发送。"
    next_en = "Make a new key for the new request and send it again."
    request_key: str


@dataclass(frozen=True)
class RequestKeyInvalid(Refusal):
    """The request key is empty, too long, or holds characters that are not printable ASCII."""

    zh = "请求编号须为1到64个可见的英文字符。"
    en = "A request key takes 1 to 64 printable ASCII characters."
    next_zh = "请使用UUID一类的唯一编号。"
    next_en = "Use a unique key such as a UUID."
    request_key: str


def fingerprint(command: Any) -> str:
    """Return the hash of a command's content.

    The actor is left out: the scope names the caller already, and a terminal that had to open a new
    session in between repeats the same request.
    """
    content = json.loads(_adapter(type(command)).dump_json(command))
    content.pop("actor", None)
    text = canonical_json(content)
    return hashlib.sha256(text.encode()).hexdigest()


def once(
    unit: Unit,
    scope: str,
    key: str,
    command: Any,
    answers: tuple[type[Any], ...],
    run: Callable[[], T],
) -> T | RequestKeyReused | RequestKeyInvalid:
    """Run a use case unless its key has been seen; then return the first answer, bit for bit.

    ``scope`` names the caller and the operation, ``answers`` the types that success may have. A
    refusal undoes whatever the transaction had written and is itself the stored answer, so that a
    late duplicate of a refused request cannot succeed by surprise; only a refusal that asks for the
    same request again (``Retry.SAME_REQUEST``) leaves the key free.
    """
    if not (1 <= len(key) <= KEY_LENGTH_MAX and key.isascii() and key.isprintable()):
        return RequestKeyInvalid(key[:KEY_LENGTH_MAX])
    claim = {
        "scope": scope,
        "key": key,
        "fingerprint": fingerprint(command),
        "answer": None,
        "created_at": unit.now,
    }
    if not insert_new(unit, IdempotencyRecord, [claim]):
        return cast("T", _first_answer(unit, claim, answers))
    outcome = run()
    if isinstance(outcome, Refusal):
        unit.db.rollback()
        if outcome.retry is Retry.SAME_REQUEST:
            return outcome
        claim["answer"] = unit.vault.seal(encode(outcome), _context(scope, key))
        if not insert_new(unit, IdempotencyRecord, [claim]):  # somebody repeated it meanwhile
            return cast("T", _first_answer(unit, claim, answers))
        return outcome
    record = IdempotencyRecord.__table__  # type: ignore[attr-defined]
    unit.db.connection().execute(
        record.update()
        .where(record.c.scope == scope, record.c.key == key)
        .values(answer=unit.vault.seal(encode(outcome), _context(scope, key)))
    )
    return outcome


def encode(answer: Any) -> str:
    """Return an answer as text that ``decode`` turns back into an equal value."""
    kind = type(answer)
    return canonical_json([kind.__name__, json.loads(_adapter(kind).dump_json(answer))])


def decode(text: str, answers: tuple[type[Any], ...]) -> Any:
    """Return the answer that ``encode`` wrote."""
    name, data = json.loads(text)
    kind = {answer.__name__: answer for answer in (*answers, *_refusals())}[name]
    return read_content(_adapter(kind), json.dumps(data))


def _first_answer(unit: Unit, claim: dict[str, Any], answers: tuple[type[Any], ...]) -> Any:
    scope, key = claim["scope"], claim["key"]
    record = unit.db.get_one(IdempotencyRecord, (scope, key))
    if record.fingerprint != claim["fingerprint"]:
        return RequestKeyReused(key)
    if record.answer is None:
        raise RuntimeError("a request key is visible without its answer")
    return decode(unit.vault.open(record.answer, _context(scope, key)), answers)


def _refusals() -> list[type[Refusal]]:
    found, open_ends = [], [Refusal]
    while open_ends:
        children = open_ends.pop().__subclasses__()
        found += children
        open_ends += children
    return found


def _context(scope: str, key: str) -> str:
    return f"answer:{scope}:{key}"


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
