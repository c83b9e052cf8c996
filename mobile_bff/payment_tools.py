"""``yibao payments``: payments whose end is not decided, and cash that a channel could not give back."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_minute
from backend.kernel.money import yuan_text
from backend.orders import queries, reconciling, service
from backend.orders.contracts import OrderView
from mobile_bff.console import Run, operator, read, write

_LISTED_MAX = 500


def payments_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao payments``."""
    parser.add_argument("--minutes", type=int, default=10, help="begun longer ago than this")
    parser.add_argument("--days", type=int, metavar="N", help="the last N days as reconciled")
    parser.add_argument("--close", metavar="ID", help="a difference that was seen to, with --words")
    parser.add_argument("--words", default="", help="what was found out and done")
    parser.add_argument("--again", metavar="NUMBER", help="of a payment whose return has failed")
    parser.set_defaults(
        run=lambda options: _payments(options, write, read, f"operator:{operator()}")
    )


def _payments(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    if options.again:
        order_id = read(lambda unit: queries.by_number(unit, options.again))
        tried = order_id and write(lambda unit: service.try_again(unit, operator, order_id))
        if not tried:
            print(f"no return of {options.again} has failed", file=sys.stderr)
        return 0 if tried else 1
    if options.close:
        closed = write(
            lambda unit: reconciling.close_difference(unit, operator, options.close, options.words)
        )
        if closed is None:
            print(f"no open difference {options.close}, or no words", file=sys.stderr)
        return 1 if closed is None else 0
    for day in read(lambda unit: reconciling.days(unit, options.days or 0)):
        sums = f"{yuan_text(day.taken_fen)} taken, {yuan_text(day.returned_fen)} given back"
        print(f"{day.day}  {day.channel.value}  {sums}  {day.differences} differences")
    before = SystemClock().now() - timedelta(minutes=options.minutes)
    failed = read(lambda unit: queries.failed_returns(unit, _LISTED_MAX))
    undecided = read(lambda unit: queries.astray(unit, before, _LISTED_MAX))
    for one in (*failed, *undecided):
        print(_line(one))
    differing = read(lambda unit: reconciling.differences(unit, _LISTED_MAX))
    for other in differing:
        ours, theirs = (
            "-" if fen is None else yuan_text(fen) for fen in (other.ours_fen, other.theirs_fen)
        )
        print(f"{other.id}  {other.day}  {other.kind.value}  {other.number}  {ours} / {theirs}")
    return 1 if failed or undecided or differing else 0


def _line(one: OrderView) -> str:
    cash = yuan_text(one.cash_fen)
    parts = (one.number, one.state.value, one.channel.value, cash, one.why or "", one.words)
    return "  ".join(str(part) for part in (local_minute(one.created_at), *parts) if part)
