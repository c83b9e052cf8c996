"""``yibao demo`` and ``tour``: a server of their own, walked through as an app would."""

from __future__ import annotations

import argparse

from mobile_bff.demo import run_demo
from mobile_bff.processes import ended_by_signals
from mobile_bff.tour import run_tour


def demo_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao demo``."""
    parser.add_argument("--exit", action="store_true", help="stop when the path has been run")
    parser.add_argument("--port", type=int, default=8080)
    parser.set_defaults(run=_demo)


def tour_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao tour``."""
    parser.add_argument("story", choices=["filing"])
    parser.add_argument("--port", type=int, default=8080)
    parser.set_defaults(run=_tour)


def _demo(options: argparse.Namespace) -> int:
    with ended_by_signals():
        return run_demo(options.port, keep_serving=not options.exit)


def _tour(options: argparse.Namespace) -> int:
    with ended_by_signals():
        return run_tour(options.port)
