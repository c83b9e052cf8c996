"""What the demo does to what lies there already: it empties its own folder, and no database that it was given."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect

from backend.infra.database import make_engine
from backend.sample_data.load import DatabaseFilled, expect_empty
from mobile_bff.command import main
from mobile_bff.demo import FOLDER, LOCK, sample_folder
from mobile_bff.processes import DidNotStart
from tests.world import World


def rows(world: World) -> dict[str, int]:
    with world.database.engine.connect() as connection:
        return {
            table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in inspect(world.database.engine).get_table_names()
        }


def test_a_filled_database_is_neither_filled_again_nor_is_its_folder_emptied(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YIBAO_DATABASE_URL", world.settings.database_url)
    FOLDER.mkdir()
    (FOLDER / "keys.json").write_text("what the database is sealed with")
    before = rows(world)
    with pytest.raises(DatabaseFilled, match="is filled already"), sample_folder():
        pytest.fail("it was let in")
    assert (FOLDER / "keys.json").read_text() == "what the database is sealed with"
    assert rows(world) == before


def test_seeding_a_filled_database_says_so_and_changes_nothing(
    world: World,
    keys_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("YIBAO_DATABASE_URL", world.settings.database_url)
    monkeypatch.setenv("YIBAO_KEYS_FILE", str(keys_file))
    before = rows(world)
    assert main(["seed"]) == 2
    assert (
        "is filled already; the sample province goes into an empty one" in capsys.readouterr().err
    )
    assert rows(world) == before


def test_a_database_without_tables_is_empty(own_folder: Path) -> None:
    engine = make_engine(f"sqlite:///{own_folder}/new.sqlite3")
    expect_empty(engine)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_the_folder_is_emptied_for_one_demo_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("YIBAO_DATABASE_URL", raising=False)
    (FOLDER / "channels").mkdir(parents=True)
    (FOLDER / "mailbox.jsonl").touch()
    with sample_folder() as environment:
        assert environment == {"YIBAO_DATA_DIR": str(tmp_path / FOLDER)}
        assert [path.name for path in FOLDER.iterdir()] == [LOCK]
        (FOLDER / "keys.json").touch()
        with pytest.raises(DidNotStart, match="is at work in"), sample_folder():
            pytest.fail("it was let in")
        assert (FOLDER / "keys.json").exists()
    with sample_folder():
        assert not (FOLDER / "keys.json").exists()
