"""``yibao agreement`` and ``terminal``: who may settle, and the terminals that they do it with."""

from __future__ import annotations

import argparse

from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions import service as institution_service
from backend.institutions.contracts import Agreement
from mobile_bff.console import operator, report, write

PUBLIC_KEY_BYTES = 32


def agreement_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao agreement``."""
    parser.add_argument("code")
    parser.add_argument("state", choices=[state.value for state in Agreement])
    parser.set_defaults(run=_agreement)


def terminal_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao terminal``."""
    parser.add_argument("number")
    parser.add_argument("--institution", metavar="CODE")
    parser.add_argument("--public-key", metavar="HEX", help="32 bytes of an Ed25519 public key")
    parser.add_argument("--withdraw", action="store_true")
    parser.set_defaults(run=_terminal)


def _agreement(options: argparse.Namespace) -> int:
    def change(unit: Unit) -> bool:
        found = institutions.by_code(unit, options.code)
        if found is not None:
            state = Agreement(options.state)
            institution_service.set_agreement(unit, operator(), found.id, state)
        return found is not None

    return report(write(change), f"there is no institution {options.code}")


def _terminal(options: argparse.Namespace) -> int:
    if options.withdraw:
        withdrawn = write(
            lambda u: institution_service.withdraw_terminal(u, operator(), options.number)
        )
        return report(withdrawn, f"there is no terminal {options.number}")
    key = bytes.fromhex(options.public_key or "")

    def register(unit: Unit) -> bool:
        found = institutions.by_code(unit, options.institution or "")
        if found is not None:
            institution_service.register_terminal(unit, options.number, found.id, key)
        return found is not None

    if len(key) != PUBLIC_KEY_BYTES:
        return report(False, "--public-key takes 64 hexadecimal digits")
    return report(write(register), f"there is no institution {options.institution}")
