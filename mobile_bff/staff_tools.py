"""``yibao staff``: who works at the desk, with which duties where."""

from __future__ import annotations

import argparse
import sys

from backend.access.contracts import Duty, Role
from backend.kernel.calendar import local_minute
from backend.regions.library import area_name
from backend.staff import queries, service
from backend.staff.contracts import StaffView
from mobile_bff.console import Run, operator, read, write


def staff_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao staff``."""
    parser.add_argument("action", choices=["list", "add", "duties", "block"])
    parser.add_argument("number", nargs="?", help="what they sign in with (工号)")
    parser.add_argument("name", nargs="?", help="of `add`")
    parser.add_argument(
        "--duty",
        action="append",
        default=[],
        metavar="ROLE:REGION",
        help="CLERK, CHECKER, SUPERVISOR or EXPERT of a county, city or province: CLERK:510100",
    )
    parser.set_defaults(run=lambda options: _staff(options, write, read, operator()))


def _staff(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    if options.action == "list":
        for view in read(queries.everybody):
            _print(view)
        return 0
    try:
        duties = [_duty(text) for text in options.duty]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    number = options.number or ""
    if options.action == "add":
        if not number or not options.name or not duties:
            print("number, name and at least one --duty are needed", file=sys.stderr)
            return 2
        added = write(lambda u: service.add(u, operator, number, options.name, duties))
        _print(added.staff)
        print(f"password       {added.password}")
        print(f"authenticator  {added.totp_uri}")
        print("both are shown once; hand them over in person")
        import qrcode  # only a new member of the staff is shown a code

        code = qrcode.QRCode(border=1)
        code.add_data(added.totp_uri)
        code.print_ascii(invert=True)
        return 0
    known = read(lambda u: queries.by_number(u, number))
    if known is None:
        print(f"nobody has the number {number}", file=sys.stderr)
        return 1
    if options.action == "duties":
        _print(write(lambda u: service.set_duties(u, operator, known.id, duties)))
    else:
        _print(write(lambda u: service.block(u, operator, known.id)))
    return 0


def _duty(text: str) -> Duty:
    """Read a duty. Raises ``ValueError`` where role or region is none."""
    role, _, region = text.partition(":")
    if role not in Role.__members__ or area_name(region) == region:
        raise ValueError(f"{text} is no ROLE:REGION, such as CLERK:510100")
    return Duty(Role(role), region)


def _print(view: StaffView) -> None:
    duties = ", ".join(f"{duty.role}:{duty.region}" for duty in view.duties) or "no duties"
    blocked = f"blocked {local_minute(view.blocked_at)}" if view.blocked_at else ""
    print(view.number, view.name, duties, blocked)
