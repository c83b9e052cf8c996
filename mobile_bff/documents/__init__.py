"""The app's own operations. In production the server runs these and no others.

Each ``<Name>.graphql`` holds one operation, ``fragments/`` what they share. A composed document is the
operation followed by the fragments that it uses, in order of their names; ``manifest.json`` maps the
SHA-256 of each composed document to its name and is what an app build reads.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_SPREAD = re.compile(r"\.\.\.\s*([A-Z]\w*)")


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of all operations of a folder, the app's unless told otherwise."""
    return sorted(path.stem for path in folder.glob("*.graphql"))


@cache
def document(name: str, folder: Path = FOLDER) -> str:
    """Return the composed document of an operation."""
    text = (folder / f"{name}.graphql").read_text(encoding="utf-8")
    needed: set[str] = set()
    open_ends = set(_SPREAD.findall(text))
    while open_ends:
        needed |= open_ends
        open_ends = {
            used for one in open_ends for used in _SPREAD.findall(_fragment(one, folder))
        } - needed
    return text + "".join(_fragment(one, folder) for one in sorted(needed))


def read_manifest(folder: Path = FOLDER) -> dict[str, str]:
    """Return the committed manifest: hash to operation name."""
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def _fragment(name: str, folder: Path) -> str:
    return (folder / "fragments" / f"{name}.graphql").read_text(encoding="utf-8")
