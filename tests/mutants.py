"""Counts what ``mutmut`` found and fails where less than nine in ten changes were noticed."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

LEAST = 0.90
SURVIVED = 0
"""Exit status of the tests that noticed nothing."""


def main() -> int:
    """Print a line a file and the whole."""
    whole: Counter[bool] = Counter()
    for path in sorted(Path("mutants").rglob("*.py.meta")):
        statuses = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].values()
        found = Counter(status != SURVIVED for status in statuses if status is not None)
        if found:
            name = path.relative_to("mutants").as_posix().removesuffix(".meta")
            print(f"{found[True]:>5} of {found.total():>5} noticed in {name}")
        whole += found
    if not whole:
        print("there are no mutants; run mutmut first", file=sys.stderr)
        return 2
    share = whole[True] / whole.total()
    print(f"{whole[True]} of {whole.total()} changes noticed: {share:.1%}")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
