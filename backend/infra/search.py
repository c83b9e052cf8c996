"""Full-text search that finds what people type: parts of words, pinyin initials, other words for a thing.

Chinese is written without blanks, and neither SQLite nor PostgreSQL cuts it into words by itself. Texts
are therefore kept as pairs of neighbouring characters in a plain table, the same on both databases: a
query finds what holds most of its own pairs, and what weighs them most stands first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from sqlalchemy import delete, func
from sqlmodel import col, select

from backend.infra.database import Unit, insert_many
from backend.infra.model import SearchGram

QUERY_MAX = 60
"""Characters of a query that are looked at."""
_RUN = re.compile(r"[㐀-鿿]+|[0-9a-z]+")
_MOST = (3, 5)
"""What holds three fifths of a query's pairs is found; a short query is found whole."""
_WHOLE_TO = 2


def grams(text: str) -> set[str]:
    """Return what a text is found by: its runs' pairs of characters, runs of one, whole codes."""
    return _pairs(text) | _codes(text)


def asked(text: str) -> set[str]:
    """Return what a query asks for: the pairs of its runs, or a run's one character."""
    return _pairs(text[:QUERY_MAX])


def _pairs(text: str) -> set[str]:
    found: set[str] = set()
    for run in _RUN.findall(text.lower()):
        found.update([run] if len(run) == 1 else (a + b for a, b in pairwise(run)))
    return found


def _codes(text: str) -> set[str]:
    """Return whole runs of Latin letters and digits: a code that is typed whole stands first."""
    return {run for run in _RUN.findall(text.lower()) if run.isascii() and len(run) > 2}


def initials(text: str) -> str:
    """Return the pinyin initials of a Chinese text: 布洛芬 is blf."""
    from pypinyin import Style, lazy_pinyin  # its tables take 30 MB, and only writers need them

    letters = lazy_pinyin(text, style=Style.FIRST_LETTER, errors="ignore")
    return "".join(letters).lower()


def put(unit: Unit, kind: str, entries: Mapping[str, Iterable[tuple[str, int]]]) -> None:
    """Make entries findable by weighted texts, in place of what they were found by before."""
    gone = col(SearchGram.subject_id).in_(list(entries))
    unit.db.connection().execute(delete(SearchGram).where(col(SearchGram.kind) == kind, gone))
    rows = []
    for subject_id, texts in entries.items():
        weights: dict[str, int] = {}
        for text, weight in texts:
            for gram in grams(text):
                weights[gram] = max(weights.get(gram, 0), weight)
        rows += [
            {"kind": kind, "gram": gram, "subject_id": subject_id, "weight": weight}
            for gram, weight in sorted(weights.items())
        ]
    insert_many(unit, SearchGram, rows)


def find(unit: Unit, kind: str, text: str, limit: int, also: Sequence[str] = ()) -> list[str]:
    """Return ids of what is found by a text, or by another way to say it, the best first.

    One statement for each way to say it.
    """
    best: dict[str, tuple[int, int]] = {}
    for way in dict.fromkeys((text, *also)):
        for subject_id, held, weight in _found(unit, kind, way, limit):
            best[subject_id] = max(best.get(subject_id, (0, 0)), (held, weight))
    ordered = sorted(best, key=lambda one: (-best[one][0], -best[one][1], one))
    return ordered[:limit]


def _found(unit: Unit, kind: str, text: str, limit: int) -> list[tuple[str, int, int]]:
    wanted = asked(text)
    if not wanted:
        return []
    held, weight = func.count(), func.sum(SearchGram.weight)
    part, whole = _MOST
    in_full = len(wanted) <= _WHOLE_TO or text.isascii()  # initials and codes are typed as they are
    least = len(wanted) if in_full else -(-len(wanted) * part // whole)
    gram = col(SearchGram.gram)
    [one, *_] = sorted(wanted)
    alone = (
        len(wanted) == 1 and len(one) == 1
    )  # a single character: what has pairs that begin with it
    which = gram.startswith(one) if alone else gram.in_(sorted(wanted | _codes(text)))
    rows = unit.db.exec(
        select(SearchGram.subject_id, held, weight)
        .where(SearchGram.kind == kind, which)
        .group_by(col(SearchGram.subject_id))
        .having(held >= least)
        .order_by(held.desc(), weight.desc(), col(SearchGram.subject_id))
        .limit(limit)
    ).all()
    # how much of the query is held, in hundredths, so that ways of different length compare
    return [(subject_id, 100 * int(n) // len(wanted), int(w)) for subject_id, n, w in rows]
