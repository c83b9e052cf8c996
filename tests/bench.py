"""``make bench``: settlements per second through the public API, beside plain SQL in the same run.

Many clients walk the whole path (code, scan, pricing, settlement) over HTTP against two workers, each for
a person and a pharmacy of its own. The yardstick writes the same rows, taken from one real walk, into twin
tables with the same keys and indexes of the same database, by plain SQL from two processes, one
transaction a walk. Names, numbers and keys are new each time, as they are in a walk; a serial is counted up
by the database; all else is as it was. What lies between the two is what everything else costs: HTTP,
GraphQL, signatures, sealing, locks, the law, and the client itself, which shares the machine.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid
from sqlalchemy import Boolean, Column, Date, Index, MetaData, Table, text

from backend.infra.database import make_engine
from backend.migrations.tables import METADATA
from backend.sample_data.load import sample_key
from mobile_bff.client import Client, terminal_assertion
from mobile_bff.processes import ended_by_signals, newest_code, seed, server, sms_sandbox
from tests.databases import new_database, postgres_server
from tests.world import IBUPROFEN

CLIENTS = 12
SECONDS = 10
WORKERS = 2
COUNTIES = ("510104", "510105", "510106", "510107", "510108", "510112", "510113", "510114",
            "510115", "510116", "510117", "510118")  # fmt: skip
PHONES = ("01", "15", "16", "17", "18", "19", "20", "34", "35", "36", "02", "21")
STATIC = {"catalogue_item", "catalogue_term", "institution", "terminal", "enrolment", "person"}
_serials = itertools.count(1)


@dataclass
class Measured:
    """What one side did."""

    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass
class Walker:
    """A client with a person and a pharmacy of its own."""

    phone: Client
    terminal: Client

    def walk(self) -> None:
        code = self.phone.issue_code("PHARMACY_PURCHASE")
        scanned = self.terminal.do_once(
            "DecodeCode", code=code["text"], purpose="PHARMACY_PURCHASE"
        )
        line = {
            "code": IBUPROFEN,
            "quantity": "1",
            "unitPrice": "12.00",
            "traceCodes": [f"9{os.getpid():07d}{next(_serials):012d}"],
        }
        bill = self.terminal.do_once("Presettle", token=scanned["token"], lines=[line])
        settled = self.terminal.do_once("Settle", billId=bill["billId"])
        if settled["__typename"] != "Settlement":
            raise SystemExit(f"the path was refused: {settled}")


def main() -> None:
    """Measure on SQLite and on PostgreSQL."""
    table = Grid(title=f"{CLIENTS} clients, {WORKERS} workers, {SECONDS} s a side")
    for title in ("database", "side", "per second", "p50 ms", "p99 ms", "ratio"):
        table.add_column(title, justify="left" if title in ("database", "side") else "right")
    with ended_by_signals(), _databases() as urls:
        for name, url in urls:
            path, plain = _measure_filled(url)
            ratio = f"1 : {plain.per_second / path.per_second:.1f}"
            table.add_row(name, "public API, whole path", *_cells(path), "")
            table.add_row(name, "same rows by plain SQL", *_cells(plain), ratio)
    Console().print(table)


def _cells(measured: Measured) -> tuple[str, str, str]:
    return f"{measured.per_second:.0f}", f"{measured.p50_ms:.1f}", f"{measured.p99_ms:.1f}"


@contextmanager
def _databases() -> Iterator[list[tuple[str, str]]]:
    with tempfile.TemporaryDirectory() as folder, postgres_server() as postgres:
        yield [
            ("SQLite", f"sqlite:///{folder}/bench.sqlite3"),
            ("PostgreSQL", new_database(postgres)),
        ]


def _measure_filled(url: str) -> tuple[Measured, Measured]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {"YIBAO_DATABASE_URL": url, "YIBAO_DATA_DIR": folder}
        seed(environment)
        return measure(url, Path(folder), environment)


def measure(
    url: str,
    folder: Path,
    environment: dict[str, str],
    clients: int = CLIENTS,
    seconds: float = SECONDS,
) -> tuple[Measured, Measured]:
    """Return what both sides do on a database that holds the sample province, so many seconds each."""
    mailbox = folder / "mailbox.jsonl"
    with sms_sandbox(mailbox) as gateway:
        unlimited = {
            "YIBAO_SMS_GATEWAY_URL": gateway,
            "YIBAO_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000000",
            "YIBAO_SERIES_TIMES_LIMIT": "1000000",  # one client buys as a hundred people would
        }
        with server({**environment, **unlimited}, workers=WORKERS) as address:
            walkers = [_walker(address, mailbox, n) for n in range(clients)]
            rows = _rows_of_a_walk(url, walkers[0])
            path = _drive(walkers, seconds)
            for walker in walkers:
                walker.phone.http.close()
                walker.terminal.http.close()
    return path, _yardstick(url, rows, seconds)


def _walker(address: str, mailbox: Path, number: int) -> Walker:
    phone, terminal = Client(address), Client(address)
    mobile = f"120000000{PHONES[number]}"
    phone.do("RequestSignInCode", phone=mobile)
    code = newest_code(mailbox, mobile)
    session = phone.do("SignIn", phone=mobile, code=code, deviceName="bench")
    phone.token = session["accessToken"]
    station = f"TP{COUNTIES[number]}0000101"
    assertion = terminal_assertion(station, sample_key(station))
    opened = terminal.do(
        "OpenTerminalSession", assertion=assertion, operatorId="1", operatorName="bench"
    )
    terminal.token = opened["accessToken"]
    return Walker(phone, terminal)


def _drive(walkers: list[Walker], seconds: float) -> Measured:
    for walker in walkers:
        walker.walk()
    took: list[float] = []
    began = time.perf_counter()
    until = began + seconds

    def run(walker: Walker) -> None:
        while (start := time.perf_counter()) < until:
            walker.walk()
            took.append(time.perf_counter() - start)

    threads = [threading.Thread(target=run, args=(walker,)) for walker in walkers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _summary(took, time.perf_counter() - began)


def _summary(took: list[float], seconds: float) -> Measured:
    ordered = sorted(took)
    return Measured(
        len(took) / seconds,
        statistics.median(ordered) * 1000,
        ordered[int(len(ordered) * 0.99)] * 1000,
    )


def _rows_of_a_walk(url: str, walker: Walker) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that one walk adds, by table."""
    walker.walk()
    before = _all_rows(url)
    walker.walk()
    after = _all_rows(url)
    return {
        table: [row for key, row in rows.items() if key not in before[table]]
        for table, rows in after.items()
    }


def _all_rows(url: str) -> dict[str, dict[str, dict[str, Any]]]:
    engine = make_engine(url)
    with engine.connect() as connection:
        found = {}
        for table in METADATA.sorted_tables:
            if table.name in STATIC:
                continue
            rows = connection.execute(text(f"SELECT * FROM {table.name}")).mappings()
            keys = [column.name for column in table.primary_key]
            found[table.name] = {
                json.dumps([str(row[key]) for key in keys]): dict(row) for row in rows
            }
    engine.dispose()
    return found


def _yardstick(url: str, rows: dict[str, list[dict[str, Any]]], seconds: float) -> Measured:
    twins = MetaData()
    for table in METADATA.sorted_tables:
        if rows.get(table.name):
            _twin(table, twins)
    engine = make_engine(url)
    twins.create_all(engine)
    engine.dispose()
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        taken = pool.starmap(_write_plainly, [(url, rows, seconds)] * WORKERS)
    return _summary([took for each in taken for took in each], seconds)


def _twin(table: Any, twins: MetaData) -> None:
    """Make a table with the same columns, keys and indexes, without references to others."""
    columns = [
        Column(c.name, c.type, primary_key=c.primary_key, unique=c.unique, nullable=c.nullable)
        for c in table.columns
    ]
    indexes = [
        Index(f"bench_{index.name}", *[column.name for column in index.columns])
        for index in table.indexes
    ]
    Table(f"bench_{table.name}", twins, *columns, *indexes)


def _write_plainly(url: str, rows: dict[str, list[dict[str, Any]]], seconds: float) -> list[float]:
    """Write a walk's rows by plain SQL, one transaction a time, until the time is over."""
    engine = make_engine(url)
    connection = engine.raw_connection()
    cursor = connection.cursor()
    sqlite = engine.dialect.name == "sqlite"
    mark = "?" if sqlite else "%s"
    statements = [
        (
            f"INSERT INTO bench_{table} ({', '.join(row)}) VALUES ({', '.join([mark] * len(row))})",
            [str(v) if sqlite and not isinstance(v, int | str | None) else v for v in row.values()],
            _fresh_places(table, row),
        )
        for table, found in rows.items()
        for row in (_without_serial(table, row) for row in found)
    ]
    took = []
    numbers = itertools.count(os.getpid() % 1000 * 2_000_000 + 1)  # apart from the other process
    until = time.perf_counter() + seconds
    while (start := time.perf_counter()) < until:
        if sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        for statement, values, places in statements:
            for place in places:
                fresh = secrets.token_hex(13)
                values[place] = fresh if isinstance(values[place], str) else next(numbers)
            cursor.execute(statement, values)
        connection.commit()
        took.append(time.perf_counter() - start)
    connection.close()
    engine.dispose()
    return took


def _without_serial(table: str, row: dict[str, Any]) -> dict[str, Any]:
    serial = {"ledger_posting": "id", "outbox_message": "id", "settlement": "number"}.get(table)
    return {name: value for name, value in row.items() if name != serial}


def _fresh_places(table: str, row: dict[str, Any]) -> list[int]:
    """Return the places of names and numbers that must be unique; days and flags stay as they are."""
    columns = METADATA.tables[table].columns
    return [
        place
        for place, name in enumerate(row)
        if row[name] is not None
        and (columns[name].unique or (columns[name].primary_key and name not in ("scope", "lane")))
        and not isinstance(columns[name].type, Boolean | Date)
    ]


if __name__ == "__main__":
    main()
