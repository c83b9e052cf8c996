"""What people are shown: local minutes in one form, and never an id or an instant meant for machines."""

from __future__ import annotations

import io
import re
import string
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from rich.console import Console

from backend.institutions import queries as institutions
from backend.kernel.calendar import local_minute
from backend.kernel.errors import Locale, Refusal, Seconds
from backend.kernel.money import Fen
from backend.notices.templates import ACTIONS, TEMPLATES, render
from backend.settlement.case import CareKind
from mobile_bff import exports, tour
from mobile_bff.scalars import SCALARS
from mobile_bff.schema import make_schema
from tests.world import IBUPROFEN, World, line

ROOT = Path(__file__).parents[2]
INSTANT = datetime(2026, 12, 1, 16, 30, 59, 123456, tzinfo=UTC)
MINUTE = "2026-12-02 00:30"
ULID = "01KV4G3M80ZM6PMCYGP6AX1066"
UUID = "0b54d3ae-0f0e-4f0f-9f6e-2a1d3b7c9f10"
MACHINES = re.compile(
    r"\dT\d\d:\d\d|[+-]\d\d:\d\d\b|\d\d:\d\d:\d\d|\.\d{6}|\bUTC\b"
    r"|\b[0-9A-HJKMNP-TV-Z]{26}\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-"
)
make_schema()  # every refusal that there is


def for_machines(text: str) -> str:
    found = MACHINES.search(text)
    return "" if found is None else found.group()


def refusals(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from refusals(child)


def sample(name: str, hint: Any) -> Any:
    """Return a fact of a refusal, as hard to show as it comes."""
    if get_origin(hint) is tuple:
        return (sample(name.removesuffix("s"), get_args(hint)[0]),) * 2
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    texts = ULID if name.endswith("_id") else UUID if name == "request_key" else "样例"
    samples: dict[Any, Any] = {
        str: texts,
        int: 3,
        bool: True,
        Fen: Fen(12_345),
        Seconds: Seconds(90),
        datetime: INSTANT,
        date: INSTANT.date(),
        time: time(9, 30),
    }
    return samples[hint]


def test_an_instant_is_shown_as_a_minute_of_the_wall_clock() -> None:
    assert local_minute(INSTANT) == MINUTE
    assert local_minute(INSTANT.astimezone(timezone(timedelta(hours=-7)))) == MINUTE
    assert local_minute(datetime(2026, 11, 30, 16, 0, tzinfo=UTC)) == "2026-12-01 00:00"
    with pytest.raises(ValueError, match="time zone"):
        local_minute(datetime(2026, 12, 1))  # noqa: DTZ001


@pytest.mark.parametrize("kind", sorted(set(refusals()), key=lambda one: one.__name__))
def test_no_refusal_shows_what_is_meant_for_machines(kind: type[Refusal]) -> None:
    hints = get_type_hints(kind)
    facts = {one.name: sample(one.name, hints[one.name]) for one in fields(kind)}
    refusal = kind(**facts)
    for locale in Locale:
        for text in (refusal.message(locale), refusal.next_action(locale)):
            assert for_machines(text) == "", text
    named = {name for name, value in facts.items() if value == INSTANT}
    for template in (kind.zh, kind.en):
        said = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        if named & said:
            assert MINUTE in refusal.message(Locale.ZH if template is kind.zh else Locale.EN)


@pytest.mark.parametrize("kind", sorted(TEMPLATES))
def test_no_notice_shows_what_is_meant_for_machines(kind: str) -> None:
    template = TEMPLATES[kind]
    names = {
        name
        for text in (template.zh, template.en)
        for _, name, _, _ in string.Formatter().parse(text)
        if name
    }
    assert not [name for name in names if name == "id" or name.endswith(("_id", "_at"))]
    facts = {name: "12345" if name.endswith("_fen") else "样例" for name in names}
    shown = render(kind, {**facts, "action": next(iter(ACTIONS))})
    for text in (*shown.title, *shown.text):
        assert for_machines(text) == "", text
        assert "{" not in text


_OF_MACHINES = {
    "backend/kernel/calendar.py": "the one function",
    "backend/identity": "what a password must not be",
    "backend/codes/health_card.py": "a field of a standard",
    "backend/institutions/logic.py": "opening hours compared",
    "backend/orders/service.py": "a channel's number",
    "backend/sandboxes": "what outside parties send",
    "mobile_bff/channels": "what outside parties are sent",
}
_CLOCK = re.compile(r"%[HMSTFc]|\.strftime\(|timespec=|\]\[:(16|19)\]")


def test_nothing_writes_a_time_of_day_but_the_one_function() -> None:
    wrong = [
        f"{name}:{number}"
        for folder in ("backend", "mobile_bff")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in [path.relative_to(ROOT).as_posix()]
        if "/migrations/" not in name and not name.startswith(tuple(_OF_MACHINES))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _CLOCK.search(line)
    ]
    assert wrong == []


_RAW = re.compile(r"(?<![\w(])[\w.]+\.(\w+_at|until|now)\b(?!\()")


@pytest.mark.parametrize(
    "path",
    [*sorted((ROOT / "mobile_bff").glob("*_tools.py")), ROOT / "mobile_bff" / "command.py"],
    ids=lambda path: path.name,
)
def test_no_command_prints_an_instant_as_it_is(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    printed = [line for line in lines if "print(" in line]
    bare = [line for line in printed if _RAW.search(line.replace("valid_until", ""))]
    assert [line for line in bare if "local_minute(" not in line] == []


def test_the_schema_gives_whole_seconds_with_their_offset() -> None:
    scalar = SCALARS[datetime]
    assert scalar.serialize is not None
    assert scalar.parse_value is not None
    assert scalar.serialize(INSTANT) == "2026-12-01T16:30:59+00:00"
    assert scalar.parse_value("2026-12-02T00:30:59.5+08:00") == INSTANT.replace(microsecond=500000)


def test_an_export_names_the_day_of_the_wall_clock(world: World) -> None:
    """What is settled before eight in the morning is not of the day before."""
    world.clock.instant = datetime(2026, 6, 15, 17, 0, tzinfo=UTC)
    settled = world.buy("worker", line(IBUPROFEN))
    places = world.database.read(lambda u: institutions.institutions(u, [settled.institution_id]))
    [row] = exports._rows([(CareKind.OUTPATIENT, settled)], places, Locale.ZH)
    assert row[0] == "2026-06-16"


def test_the_story_tells_its_steps_in_local_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [{"at": "2026-12-01T16:30:59.123456+00:00", "text": "提交", "words": ""}]
    console = Console(file=io.StringIO(), record=True)
    tour._tell_steps(console, {"matter": {"steps": steps}})
    assert f"{MINUTE}  提交" in console.export_text()
    assert capsys.readouterr().out == ""
