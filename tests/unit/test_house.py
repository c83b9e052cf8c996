"""The house keeps its order: schema, documents, modules, migrations, style, README."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    parse,
    validate,
)
from sqlalchemy import inspect, text

from backend.kernel.errors import Refusal
from backend.migrations import configuration, upgrade
from backend.migrations.tables import APPEND_ONLY, METADATA
from mobile_bff import documents
from mobile_bff.desk.schema import DESK_DOCUMENTS, DESK_SDL, make_desk_schema
from mobile_bff.limits import TOKENS_MAX
from mobile_bff.measure import COST_MAX, measure
from mobile_bff.modules import GROUPS, ModuleState, modules_of
from mobile_bff.schema import make_schema
from mobile_bff.trusted import digest
from tests.world import World

ROOT = Path(__file__).parents[2]
SDL = (ROOT / "schema.graphql").read_text(encoding="utf-8")
SCHEMA = build_schema(SDL)
DESK = build_schema(DESK_SDL.read_text(encoding="utf-8"))
FILES = sorted(p for f in ("backend", "mobile_bff") for p in (ROOT / f).rglob("*.py"))


def test_the_committed_schema_is_the_codes_own() -> None:
    assert make_schema().as_str() + "\n" == SDL, "run: make schema"
    assert make_desk_schema().as_str() + "\n" == DESK_SDL.read_text("utf-8"), "run: make schema"


@pytest.mark.parametrize("schema", [SCHEMA, DESK], ids=["app", "desk"])
def test_everything_in_the_schema_is_described(schema: GraphQLSchema) -> None:
    missing = []
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        if not kind.description and name not in ("Int", "String", "Boolean", "ID", "Float"):
            missing.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            missing += [f"{name}.{field}" for field, f in kind.fields.items() if not f.description]
        if isinstance(kind, GraphQLEnumType):
            missing += [f"{name}.{value}" for value, v in kind.values.items() if not v.description]
    assert missing == []


_AT_THE_CONSOLE = {
    *("ClearingNotPossible", "AgreementNotPossible", "ClaimNotFound", "PolicyNotFound"),
}
"""Refusals that no caller over the network meets yet."""
_OF_FILES = {"MaterialUnfit", "EvidenceUnfit", "SealMissing", "FileQueueFull", "SystemBusy"}
"""Refusals of routes outside GraphQL."""


def test_every_refusal_is_a_user_error_with_texts_in_both_languages() -> None:
    kinds = {kind.__name__ for kind in _refusals(Refusal)}
    shown = {
        kind.name
        for schema in (SCHEMA, DESK)
        for kind in schema.get_possible_types(schema.type_map["UserError"])
    }
    assert shown == kinds - _AT_THE_CONSOLE - _OF_FILES
    assert len(kinds) > 40
    for kind in _refusals(Refusal):
        assert all((kind.zh, kind.en, kind.next_zh, kind.next_en)), kind
        assert kind.__doc__


def _refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from _refusals(child)


def test_node_may_be_null() -> None:
    query = SCHEMA.query_type
    assert query is not None
    assert str(query.fields["node"].type) == "Node"
    assert str(query.fields["nodes"].type) == "[Node]!"


_DOCUMENTS = [
    *((SCHEMA, documents.FOLDER, name) for name in documents.names()),
    *((DESK, DESK_DOCUMENTS, name) for name in documents.names(DESK_DOCUMENTS)),
]


@pytest.mark.parametrize(("schema", "folder", "name"), _DOCUMENTS, ids=[d[2] for d in _DOCUMENTS])
def test_documents_are_valid_and_within_half_of_every_limit(
    schema: GraphQLSchema, folder: Path, name: str
) -> None:
    document = documents.document(name, folder)
    parsed = parse(document, max_tokens=TOKENS_MAX // 2)
    assert validate(schema, parsed) == []
    assert measure(schema, parsed, {"first": 20}) <= COST_MAX // 2


@pytest.mark.parametrize("folder", [documents.FOLDER, DESK_DOCUMENTS], ids=["app", "desk"])
def test_the_manifest_is_fresh(folder: Path) -> None:
    assert documents.read_manifest(folder) == {
        digest(documents.document(name, folder)): name for name in documents.names(folder)
    }, "run: make schema"


def test_each_of_the_33_modules_has_its_file() -> None:
    modules = [module for group in GROUPS for module in modules_of(group)]
    assert [len(group.files) for group in GROUPS] == [4, 8, 8, 5, 5, 3]
    assert [m.id for m in modules] == [
        f"{letter}{n}" for letter, count in zip("ABCDEF", (4, 8, 8, 5, 5, 3), strict=True)
        for n in range(1, count + 1)
    ]  # fmt: skip
    for group in GROUPS:
        folder = ROOT / "mobile_bff" / group.folder
        assert {p.stem for p in folder.glob("*.py")} == {*group.files, "__init__"}
    for module in modules:
        assert len(module.short) <= 8
        assert module.state is ModuleState.AVAILABLE, module.id
        assert "尚未开放" not in module.summary


def test_migrations_have_one_head_and_make_the_models_tables(world: World) -> None:
    assert len(ScriptDirectory.from_config(configuration()).get_heads()) == 1
    with world.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    upgrade(world.database.engine)  # again: nothing happens


def test_the_migrations_guard_every_append_only_table(world: World) -> None:
    """Ask the database itself, after all steps, by trying to remove a row of each."""
    with world.database.engine.connect() as connection:
        inspector = inspect(connection)
        assert set(APPEND_ONLY) <= set(inspector.get_table_names())
        if connection.dialect.name == "sqlite":
            query = "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
            each = 2
        else:
            query = (
                "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
            )
            each = 2
        guarded = [name for (name,) in connection.execute(text(query))]
    assert sorted(guarded) == sorted(list(APPEND_ONLY) * each)


# -- style that cannot decay ----------------------------------------------------------------------

_BANNED = {
    "datetime.now": {"backend/infra/clock.py", "mobile_bff/client.py"},
    "date.today": set(),
    "utcnow": set(),
    "uuid4": {"mobile_bff/client.py"},
    "time.time(": set(),
    "random.": set(),
    "secrets.": {"backend/infra/clock.py"},
}
_MONEY = ("backend/settlement", "backend/payments", "backend/ledger", "backend/rulebook")


def _code(path: Path) -> str:
    """Return a file without its comments and strings."""
    return ast.unparse(_Bare().visit(ast.parse(path.read_text(encoding="utf-8"))))


class _Bare(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_tidy(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    if "/versions/" in name:
        return
    text = path.read_text(encoding="utf-8")
    code = _code(path)
    assert len(text.splitlines()) <= 560, "a file is one room"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)
    for banned, allowed in _BANNED.items():
        if name not in allowed:
            assert banned not in code, f"{banned} belongs in {allowed or 'no file'}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 75, f"{node.name} is too long"
        if isinstance(node, ast.ExceptHandler):
            assert not all(isinstance(s, ast.Pass) for s in node.body) or name == (
                "mobile_bff/processes.py"
            ), "a swallowed exception"
        if name.startswith(_MONEY):
            paths = name == "backend/rulebook/library.py"  # joins paths
            divides = isinstance(node, ast.Div | ast.FloorDiv)
            assert paths or not divides, "division belongs to kernel/money"
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
            assert not (isinstance(node, ast.Name) and node.id == "float")


def test_the_same_file_names_in_every_domain_folder() -> None:
    usual = {"__init__", "contracts", "logic", "model", "service", "queries", "library"}
    more = {
        "access": {"assurance"},
        "catalogue": {"matching"},
        "codes": {"health_card", "identities", "identity_code"},
        "identity": {
            "challenges",
            *("face_checks", "face_contracts", "face_logic", "face_reader", "face_worker"),
            *("passkey_contracts", "passkeys", "safety", "safety_contracts"),
            *("closing", "phone_change", "registration", "registration_contracts"),
        },
        "settlement": {
            *(
                "calculate",
                "case",
                "casebook",
                "credits",
                "facts",
                "history",
                "stays",
                "upcast",
                "yearly",
            )
        },
        "payments": {
            "booking",
            *(
                "bills",
                "charge_contracts",
                "charges",
                "decisions",
                "direct",
                "estimate",
                "guards",
                "holds",
                "instalments",
                "misuse",
                "outlook",
                "resolving",
                "rule_contracts",
                "rules",
                "stay_contracts",
                "stays",
                "visits",
            ),
        },
        "orders": {
            "agreed",
            "agreeing",
            "agreement_contracts",
            "agreements",
            "debts",
            "driving",
            "parts",
            "reconciling",
            "refund_contracts",
            "refunds",
        },
        "credit": {"handling"},
        "appointments": {"clinic_contracts", "clinics", "keeping", "seats", "waiting"},
        "notices": {"templates"},
        "people": {"document_contracts", "documents"},
        "prescriptions": {"dispensing", "steps"},
        "reports": {"handling", "handling_contracts", "identities", "rules", "steps", "telling"},
        "policies": {"document_contracts", "documents"},
        "matters": {
            *("figures", "load_contracts", "material_contracts", "materials", "opinions"),
            *("procedure", "workdays"),
        },
        "filings": {"uploads"},
        "entitlements": {"applying", "signing"},
        "choices": {"referring"},
        "enrolment": {"registering", "repairing", "transferring"},
        "applications": {"outages"},
        "claims": {"applying"},
        "desk": {
            "alerts",
            "assigning",
            "debts",
            "payments",
            "statements",
            "ratings",
            "papers",
            "templates",
            "tickets",
        },
        "merging": {"plan"},
        "proxies": {"authority"},
        "supervision": {"facts", "measuring", "rules"},
        "rulebook": {"lint", "packs", "vocabulary"},
    }
    outside = {"kernel", "infra", "migrations", "sandboxes", "sample_data"}
    for folder in (ROOT / "backend").iterdir():
        if folder.is_dir() and folder.name not in outside and list(folder.glob("*.py")):
            files = {p.stem for p in folder.glob("*.py")}
            assert files <= usual | more.get(folder.name, set()), folder.name


_AT_THE_TOP = {
    *(".ci", ".github", ".gitignore", ".packaging", ".dockerignore", ".editorconfig"),
    *(".pre-commit-config.yaml", "Makefile", "README.md", "LICENSE", "backend", "mobile_bff"),
    *("pyproject.toml", "schema.graphql", "tests"),
}


def _top_of_the_tree() -> set[str]:
    """Return what stands at the top: what git keeps, else what it would not ignore."""
    if (ROOT / ".git").exists():
        listing = ["git", "ls-files"]
        kept = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return {name.split("/")[0] for name in kept.splitlines()}
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [line.rstrip("/") for line in lines if line and not line.startswith("#")]
    names = {path.name for path in ROOT.iterdir()}
    return {name for name in names if not any(fnmatch(name, one) for one in ignored)}


def test_no_tool_leaves_anything_at_the_top_of_the_tree() -> None:
    assert _top_of_the_tree() - _AT_THE_TOP == set()


def test_what_tools_leave_is_ignored() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    left = (".hypothesis/", ".schemathesis/", ".playwright/", ".coverage", "mutants/", ".demo/")
    assert set(left) <= set(ignored)


def test_the_project_speaks_of_itself_alone() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    foreign = [f"{ROOT}/", f"{ROOT.parent.name}/{ROOT.name}/", "../shared", "pythonhosted"]
    for name in tracked:
        path = ROOT / name
        if path.suffix in (".csv", ".png") or name == "tests/unit/test_house.py":
            continue
        text = path.read_text(encoding="utf-8")
        for word in foreign:
            assert word not in text, f"{name} holds {word}"


def test_readme_draws_the_state_tables_of_the_code() -> None:
    from backend.codes.contracts import CODE_STATES
    from backend.credit.contracts import PAY_LATER_STATES
    from backend.payments.contracts import BILL_STATES
    from backend.payments.stay_contracts import STAY_STATES

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for table in (CODE_STATES, BILL_STATES, STAY_STATES, PAY_LATER_STATES):
        assert table.diagram() in readme, "run: yibao states"


def test_readme_lists_what_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in (ROOT / "backend").iterdir():
        if folder.is_dir() and (folder / "__init__.py").exists():
            assert f"`{folder.name}/`" in readme, folder.name
    for target in re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.M):
        assert f"make {target}" in readme, target


def test_readme_shows_the_explained_bill_as_it_comes_out() -> None:
    from backend.kernel.errors import Locale
    from backend.rulebook.library import rulebook
    from backend.settlement.casebook import read_cases, settle_case
    from mobile_bff.policy_tools import told

    (case,) = read_cases(ROOT / "tests/cases/constructed/readme.yaml")
    outcome = settle_case(case, rulebook())[0].outcome
    assert outcome is not None
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n".join(told(outcome, Locale.ZH)).strip() in readme


def test_the_guide_holds_the_vocabulary() -> None:
    from backend.rulebook.vocabulary import vocabulary
    from mobile_bff.policy_tools import guide

    assert guide(vocabulary()) in (ROOT / "backend/rulebook/GUIDE.md").read_text("utf-8")


# -- set-up ---------------------------------------------------------------------------------------


def test_the_face_library_came_without_compiling_anything() -> None:
    script = "import face_recognition, dlib; print(face_recognition.__name__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "face_recognition", done.stderr
    assert version("dlib-bin")


def test_direct_dependencies_are_pinned() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert all("==" in requirement for requirement in wanted)
    for name in ("strawberry-graphql", "starlette", "uvicorn", "sqlmodel", "pyjwt",
                 "face-recognition", "qrcode", "pytest"):  # fmt: skip
        assert any(requirement.startswith(f"{name}==") for requirement in wanted)


def test_the_demo_runs(tmp_path: Path) -> None:
    from mobile_bff.processes import free_port

    command = [sys.executable, "-m", "mobile_bff.command", "demo", "--exit"]
    done = subprocess.run(
        [*command, "--port", str(free_port())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**__import__("os").environ, "COLUMNS": "160", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert (
        "总费用440.40元，基本医保统筹基金支付54.03元，个人账户支付284.97元，现金支付101.40元。"
        in done.stdout
    )
    assert "9/9" in done.stdout
    mailbox = (tmp_path / ".demo" / "mailbox.jsonl").read_text(encoding="utf-8")
    assert json.loads(mailbox.splitlines()[0])["to"] == "12000000001"


def test_notices_alone_write_to_phones_and_devices() -> None:
    """One place decides who is told what: nobody else hands anything to a gateway's queue."""
    for path in sorted((ROOT / "backend").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        if name.startswith(("backend/notices/", "backend/infra/outbox.py")):
            continue
        assert "enqueue_to_phone" not in text, name
        assert not re.search(r"Channel\.(SMS|PUSH|VOICE)", text), name
