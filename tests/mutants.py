"""Changes the engine in every small way and counts which changes no test notices.

Each part is mutated in a copy of the project with the tests that are meant to notice: the pure core with
the golden cases, the reader of cases with its own tests, what books and reads with the use cases on
SQLite. Fails where less than nine in ten changes of the whole were noticed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
LEAST = 0.90
SURVIVED = 0
"""Exit status of the tests that noticed nothing."""
FOLDER = "backend/settlement"
PARTS: dict[str, tuple[list[str], list[str]]] = {
    "core": (
        ["calculate", "logic", "stays", "upcast", "tiers/*"],
        [
            "cases",
            "unit/test_traps.py",
            "unit/test_upcast.py",
            "unit/test_steps.py",
            "unit/test_identities.py",
            "unit/test_settlement_logic.py",
        ],
    ),
    "reader": (["casebook"], ["unit/test_casebook.py"]),
    "booking": (
        ["service", "facts", "queries", "credits"],
        [
            "unit/test_settlement_logic.py",
            "unit/test_data.py",
            "usecases/test_claims.py",
            "usecases/test_path.py",
            "usecases/test_stays.py",
        ],
    ),
}


def mutate(part: str, folder: Path) -> Counter[bool]:
    """Return how many changes of a part were noticed and how many not."""
    prepare(part, folder)
    subprocess.run([Path(sys.executable).parent / "mutmut", "run"], cwd=folder, check=True)
    return _counted(folder)


def prepare(part: str, folder: Path) -> None:
    """Copy the project into a folder, and say there what of a part is changed and which tests notice."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, tracked.split("\0")):
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    files, tests = PARTS[part]
    settings = {
        "source_paths": ["backend"],
        "only_mutate": [f"{FOLDER}/{name}.py" for name in files],
        "also_copy": ["backend", "mobile_bff", "tests", "schema.graphql", "README.md", "Makefile"],
        "pytest_add_cli_args_test_selection": [f"tests/{name}" for name in tests],
        "pytest_add_cli_args": ["-k", "not postgresql"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    text = "\n".join(["", "[tool.mutmut]", *lines, "mutate_only_covered_lines = true", ""])
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def _counted(folder: Path) -> Counter[bool]:
    whole: Counter[bool] = Counter()
    for path in sorted((folder / "mutants").rglob("*.py.meta")):
        statuses = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].values()
        found = Counter(status != SURVIVED for status in statuses if status is not None)
        if found:
            name = path.relative_to(folder / "mutants").as_posix().removesuffix(".meta")
            print(f"{found[True]:>5} of {found.total():>5} noticed in {name}", flush=True)
        whole += found
    return whole


def main() -> int:
    """Mutate all parts, or the named ones, and print what was noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; none: all")
    whole: Counter[bool] = Counter()
    for part in parser.parse_args().parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="yibao-mutants-") as folder:
            whole += mutate(part, Path(folder))
    share = whole[True] / whole.total()
    print(f"{whole[True]} of {whole.total()} changes noticed: {share:.1%}")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
