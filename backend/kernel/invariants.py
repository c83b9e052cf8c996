"""Checks that stay on in production. A broken one aborts the transaction."""

from __future__ import annotations


class InvariantBroken(Exception):
    """The program contradicts itself; nothing that follows could be trusted."""


def invariant(holds: bool, message: str) -> None:
    """Raise ``InvariantBroken`` unless ``holds``. Unlike ``assert`` it cannot be switched off."""
    if not holds:
        raise InvariantBroken(message)
