"""Money, time, ids, masks and state tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import product

import pytest

from backend.codes.contracts import CODE_STATES, CodeEvent, CodeState
from backend.kernel.calendar import age_on, local_day
from backend.kernel.ids import encode_id
from backend.kernel.invariants import InvariantBroken, invariant
from backend.kernel.masking import mask_id_number, mask_name, mask_phone
from backend.kernel.money import (
    Fen,
    Rounding,
    allocate,
    line_amount,
    parse_quantity,
    parse_unit_price,
    parse_yuan,
    percent_text,
    quantity_text,
    share,
    unit_price_text,
    whole_units,
    yuan_text,
)
from backend.kernel.states import StateTable
from backend.payments.contracts import BILL_STATES, BillEvent, BillState


@pytest.mark.parametrize(
    ("amount", "rate", "half_up", "down"),
    [
        (1, "1/2", 1, 0),
        (3, "1/2", 2, 1),
        (287, "0.1", 29, 28),
        (101, "0.005", 1, 0),
        (0, "1", 0, 0),
    ],
)
def test_share(amount: int, rate: str, half_up: int, down: int) -> None:
    assert share(Fen(amount), Fraction(rate)) == half_up
    assert share(Fen(amount), Fraction(rate), Rounding.DOWN) == down


def test_a_share_of_something_negative_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        share(Fen(-1), Fraction(1, 2))


def test_allocate() -> None:
    assert allocate(Fen(100), [1, 1, 1]) == [34, 33, 33]
    assert allocate(Fen(5), [0, 3, 1]) == [0, 4, 1]
    assert allocate(Fen(0), [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="positive total"):
        allocate(Fen(1), [0, 0])


def test_line_amounts_round_half_up() -> None:
    assert line_amount(parse_unit_price("0.045"), parse_quantity("1")) == 5
    assert line_amount(parse_unit_price("0.333333"), parse_quantity("3")) == 100
    assert line_amount(parse_unit_price("12.50"), parse_quantity("1.5")) == 1875


def test_texts_and_parsing() -> None:
    assert parse_yuan("12.3") == 1230
    assert parse_yuan("-0.05") == -5
    assert yuan_text(Fen(-5)) == "-0.05"
    assert unit_price_text(parse_unit_price("12.5")) == "12.50"
    assert unit_price_text(parse_unit_price("0.045001")) == "0.045001"
    assert quantity_text(parse_quantity("10")) == "10"
    assert quantity_text(parse_quantity("1.50")) == "1.5"
    assert whole_units(parse_quantity("2")) == 2
    assert whole_units(parse_quantity("2.0001")) is None
    assert percent_text(Fraction("0.125")) == "12.5%"


@pytest.mark.parametrize(
    "text", ["", "1.", ".5", "1e3", "１", "1,000", "1.234", "NaN", "--1", " 1"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError):
        parse_yuan(text)


def test_days_are_those_of_chengdu() -> None:
    assert local_day(datetime(2026, 6, 15, 15, 59, tzinfo=UTC)) == date(2026, 6, 15)
    assert local_day(datetime(2026, 6, 15, 16, 0, tzinfo=UTC)) == date(2026, 6, 16)
    with pytest.raises(ValueError, match="time zone"):
        local_day(datetime(2026, 6, 15))  # noqa: DTZ001


def test_ages() -> None:
    assert age_on(date(2010, 6, 15), date(2026, 6, 14)) == 15
    assert age_on(date(2010, 6, 15), date(2026, 6, 15)) == 16
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18


def test_ids_sort_by_time_and_fit_the_national_field() -> None:
    now = datetime(2026, 6, 15, tzinfo=UTC)
    first = encode_id(now, b"\xff" * 10)
    second = encode_id(now + timedelta(milliseconds=1), b"\x00" * 10)
    assert first < second
    assert set(first) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert len(first) == 26


def test_masks() -> None:
    assert [mask_name(n) for n in ("", "李", "李明", "李样例", "欧阳样例")] == [
        "*", "*", "李*", "李*例", "欧**例",
    ]  # fmt: skip
    assert mask_id_number("990100198804120029") == "9" + "*" * 16 + "9"
    assert mask_phone("12000000001") == "120****0001"
    assert mask_phone("123") == "***"


def test_invariants_cannot_be_switched_off() -> None:
    invariant(True, "holds")
    with pytest.raises(InvariantBroken, match="broken"):
        invariant(False, "broken")


TABLES = [(CODE_STATES, CodeState, CodeEvent), (BILL_STATES, BillState, BillEvent)]


@pytest.mark.parametrize(
    ("table", "states", "events"), TABLES, ids=lambda x: getattr(x, "name", "")
)
def test_every_edge_and_every_non_edge(table: StateTable, states: type, events: type) -> None:
    reached = set(table.initial)
    for state, event in product(states, events):
        after = table.after(state, event)
        assert after == table.moves.get((state, event))
        if after is not None:
            assert after in set(states)
            reached.add(after)
    assert reached == set(states), "every state can be reached"
    for state in table.final_states():
        assert all(table.after(state, event) is None for event in events)


def test_what_is_decided_stays_decided() -> None:
    assert CODE_STATES.final_states() == {CodeState.DECODED, CodeState.VOIDED}
    assert BILL_STATES.final_states() == {
        BillState.REFUSED,
        BillState.SUPERSEDED,
        BillState.REVERSED,
    }
