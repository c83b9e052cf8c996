"""An upgrade from the first schema carries over what years have used."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

from backend.infra.database import make_engine
from backend.migrations import configuration, upgrade
from tests.databases import drop_database, new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path / 'old.sqlite3'}")
        yield made
        made.dispose()
        return
    server = request.getfixturevalue("postgres")
    url = new_database(server)
    made = make_engine(url)
    yield made
    made.dispose()
    drop_database(server, url)


def test_the_sums_of_the_first_schema_become_counters(engine: Engine) -> None:
    config = configuration()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO person (id, particulars, id_number_index, registered_at) "
                "VALUES ('P', 'x', 'x', '2026-01-01 00:00:00')"
            )
        )
        for enrolment, insurance in (("E1", "EMPLOYEE"), ("E2", "RESIDENT")):
            connection.execute(
                text(
                    "INSERT INTO enrolment (id, person_id, person_number, area_code, insurance_type, "
                    f"account_kind, contribution_base_fen) VALUES ('{enrolment}', 'P', '{enrolment}', "
                    f"'510100', '{insurance}', 'NONE', 0)"
                )
            )
        connection.execute(text("INSERT INTO accumulator VALUES ('E1', 2026, 20000, 7769)"))
        connection.execute(text("INSERT INTO accumulator VALUES ('E2', 2026, 0, 600)"))
        connection.execute(
            text("INSERT INTO accumulator_entry VALUES ('S1', 'E1', 2026, 20000, 7769)")
        )
    upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM counter ORDER BY enrolment_id, name")).all()
        assert [tuple(row) for row in rows] == [
            ("E1", 2026, "outpatient_worker.deductible", 20000),
            ("E1", 2026, "outpatient_worker.fund", 7769),
            ("E2", 2026, "outpatient_resident.deductible", 0),
            ("E2", 2026, "outpatient_resident.fund", 600),
        ]
        entries = connection.execute(text("SELECT name, amount FROM counter_entry ORDER BY name"))
        assert [tuple(row) for row in entries] == [
            ("outpatient_worker.deductible", 20000),
            ("outpatient_worker.fund", 7769),
        ]


def test_a_message_on_its_way_keeps_the_id_that_its_gateway_may_know(engine: Engine) -> None:
    config = configuration()
    rows = (("SMS", "NULL"), ("PUSH", "'2026-01-01 00:00:00'"), ("LIVE", "NULL"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0045")
        for channel, delivered in rows:
            connection.execute(
                text(
                    "INSERT INTO outbox_message "
                    "(channel, topic, kind, payload, created_at, attempts, delivered_at) VALUES "
                    f"('{channel}', 't', 'k', 'p', '2026-01-01 00:00:00', 1, {delivered})"
                )
            )
    upgrade(engine)
    with engine.connect() as connection:
        kept = connection.execute(
            text("SELECT channel, outgoing_id, transaction_id FROM outbox_message ORDER BY id")
        )
        assert [tuple(row) for row in kept] == [
            ("SMS", "yibao-1", None),
            ("PUSH", None, None),
            ("LIVE", None, None),
        ]
