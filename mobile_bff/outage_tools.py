"""``yibao outage``: outages that are announced, and their end."""

from __future__ import annotations

import argparse
from datetime import datetime

from backend.access.contracts import Operator
from backend.kernel.calendar import SHANGHAI, local_minute
from backend.policies import queries as policies
from backend.policies import service as policy_service
from backend.policies.contracts import AnnounceOutage, OutageView, Service
from mobile_bff.console import operator, read, report, write


def outage_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao outage``."""
    parser.add_argument("--area")
    parser.add_argument("--service", action="append", choices=[s.value for s in Service])
    parser.add_argument("--from", dest="starts", help="local time, 2026-11-22T22:00")
    parser.add_argument("--to", dest="ends", help="local time")
    parser.add_argument("--reason", default="系统维护")
    parser.add_argument("--instead", default="请稍后再试；急需时先自费并保留票据。")
    parser.add_argument("--end", metavar="ID", help="end this outage now")
    parser.set_defaults(run=_outage)


def _outage(options: argparse.Namespace) -> int:
    if options.end:
        ended = write(lambda unit: policy_service.end_outage(unit, operator(), options.end))
        return report(ended is not None, f"there is no outage {options.end}")
    if not options.area:
        for outage in read(lambda unit: policies.outages(unit, None, 100)):
            span = f"{local_minute(outage.starts_at)} to {local_minute(outage.ends_at)}"
            print(outage.id, outage.area_code, ",".join(outage.services), span, outage.reason)
        return 0
    announced = write(
        lambda unit: policy_service.announce_outage(
            unit,
            AnnounceOutage(
                actor=Operator(operator()),
                area_code=options.area,
                services=tuple(Service(name) for name in options.service or list(Service)),
                starts_at=_local(options.starts),
                ends_at=_local(options.ends),
                reason=options.reason,
                instead=options.instead,
            ),
        )
    )
    print(announced.id if isinstance(announced, OutageView) else announced)
    return 0


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
