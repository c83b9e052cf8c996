"""Starting stays cheap: what is heavy is loaded by what needs it, and a worker that is replaced is logged."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from backend.sandboxes import __file__ as sandboxes_file
from mobile_bff.command import COMMANDS

ROOT = Path(__file__).parents[2]
SANDBOXES = sorted(p.stem for p in Path(sandboxes_file).parent.glob("[a-z]*.py"))
PACK = str(min((ROOT / "backend/rulebook/parameters").rglob("*.yaml")).relative_to(ROOT))
NEVER = {
    *("numpy", "pandas", "matplotlib", "zhplot", "dlib", "face_recognition", "pkg_resources"),
    *("pyhanko", "reportlab", "pypinyin", "opencc", "lxml", "aiohttp", "requests", "playwright"),
}
"""No process loads these before it is asked for what needs them."""
CLIENTS = {"httpx", "rich", "pygments", "click", "webauthn", "wechatpayv3", "websockets", "qrcode"}
SERVER = {"strawberry", "graphql", "starlette", "uvicorn", "mobile_bff.schema", "mobile_bff.app"}
TABLES = {"sqlalchemy", "sqlmodel", "pydantic", "alembic"}
BARE = {"yaml", "jsonschema", "cryptography", "rapidfuzz", "PIL"}
WITH_SCHEMA = {"schema", "documents"}
WITH_CLIENT = {"demo", "tour"}


def loaded(script: str, *arguments: str) -> set[str]:
    """Return the modules that a process of its own has loaded after a script."""
    shown = f"{script}\nimport sys\nprint('\\nLOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", shown, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def command(*arguments: str) -> set[str]:
    script = """
import sys
from mobile_bff.command import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
assert not status, status
"""
    return loaded(script, *arguments)


def test_a_worker_loads_nothing_that_no_request_has_asked_for() -> None:
    heavy = NEVER | CLIENTS | {"alembic", "jsonschema", "PIL"}
    assert loaded("import mobile_bff.app") & heavy == set()


def test_what_a_worker_imports_first_is_next_to_nothing() -> None:
    """``multiprocessing`` imports the command in each worker before the worker can answer anything."""
    assert loaded("import mobile_bff.command") & (NEVER | CLIENTS | SERVER | TABLES | BARE) == set()


def test_help_imports_no_command() -> None:
    assert command("--help") & (NEVER | CLIENTS | SERVER | TABLES | BARE) == set()


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (("policy", "check", PACK), {"yaml", "jsonschema"}),
        (("policy", "check"), {"yaml", "jsonschema"}),
        (("policy", "words"), {"yaml"}),
        (
            ("policy", "run", "--cases", "tests/cases/constructed/readme.yaml"),
            {"yaml", "jsonschema"},
        ),
        (("states",), set()),
        (("verify-code", "--help"), {"cryptography"}),
    ],
    ids=lambda value: " ".join(value)[:20] if isinstance(value, tuple) else "",
)
def test_commands_without_a_database_load_none(
    arguments: tuple[str, ...], allowed: set[str]
) -> None:
    heavy = NEVER | CLIENTS | SERVER | TABLES | BARE
    assert command(*arguments) & heavy <= allowed


@pytest.mark.parametrize(
    "name", {one.function.split(":")[0]: one.name for one in COMMANDS}.values()
)
def test_a_command_of_each_module_shows_its_help_and_loads_no_server(name: str) -> None:
    heavy = NEVER | (CLIENTS if name not in WITH_CLIENT else set())
    heavy |= SERVER if name not in WITH_SCHEMA else set()
    assert command(name, "--help") & heavy == set()


def test_a_console_knows_every_table_before_it_writes_a_row(tmp_path: Path) -> None:
    """A row refers to rows of other tables: one that a command has not imported would be an error."""
    script = f"""
import os
os.environ["YIBAO_DATA_DIR"] = {str(tmp_path)!r}
from mobile_bff.command import main
assert main(["migrate"]) == 0
assert main(["outage"]) == 0
from sqlmodel import SQLModel
for table in SQLModel.metadata.tables.values():
    for key in table.foreign_keys:
        key.column
"""
    assert "backend.orders.model" in loaded(script)


@pytest.mark.parametrize("name", SANDBOXES)
def test_a_sandbox_loads_no_table_and_no_server(name: str) -> None:
    heavy = NEVER | CLIENTS | SERVER | TABLES | (BARE - {"cryptography", "yaml"})
    assert loaded(f"import backend.sandboxes.{name}") & heavy == set()


def test_each_command_names_a_function_that_exists() -> None:
    for _, text, function in COMMANDS:
        module, name = function.split(":")
        tree = ast.parse((ROOT / "mobile_bff" / f"{module}.py").read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert text
    assert len({one.name for one in COMMANDS}) == len(COMMANDS) == 34


def test_a_worker_that_is_ready_loads_what_nearly_every_patient_needs() -> None:
    script = """
import asyncio
from backend.rulebook import library
from mobile_bff.warming import warm_up
asyncio.run(warm_up())
assert library.rulebook.cache_info().currsize == 1
"""
    assert {"qrcode", "lxml", "PIL"} <= loaded(script)
