"""The command ``yibao``: serve, migrate, seed, check, draw, and the operator's few levers."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

import uvicorn

from backend.access.contracts import Operator
from backend.appointments.contracts import APPOINTMENT_STATES, WAITING_STATES
from backend.cards.contracts import CARD_STATES
from backend.catalogue import queries as catalogue
from backend.catalogue import service as catalogue_service
from backend.certificates.contracts import CERTIFICATE_STATES
from backend.codes.contracts import CODE_STATES
from backend.coordination.contracts import TICKET_STATES
from backend.credit.contracts import PAY_LATER_STATES
from backend.desk.contracts import PROPOSAL_STATES
from backend.enrolment.contracts import CONTRIBUTION_STATES
from backend.filings.contracts import FILING_STATES
from backend.identity.face_contracts import FACE_STATES
from backend.infra import audit, outbox
from backend.infra.clock import SystemIds
from backend.infra.database import Database, Unit
from backend.infra.keys import KeysError, make_keys, rotate_keys
from backend.infra.settings import Settings, SettingsError
from backend.institutions import queries as institutions
from backend.institutions import service as institution_service
from backend.institutions.contracts import Agreement
from backend.kernel.calendar import SHANGHAI, local_day, local_minute
from backend.ledger import queries as ledger
from backend.matters.contracts import (
    CANCEL_MATTER_STATES,
    CAPITATION_MATTER_STATES,
    CHOICE_MATTER_STATES,
    CHRONIC_MATTER_STATES,
    CLAIM_MATTER_STATES,
    COMPLAINT_MATTER_STATES,
    ENROLMENT_MATTER_STATES,
    FILING_MATTER_STATES,
    TEAM_MATTER_STATES,
    TRANSFER_MATTER_STATES,
)
from backend.orders import queries as orders
from backend.orders.agreement_contracts import AGREEMENT_STATES, REPAYMENT_STATES
from backend.orders.contracts import DIFFERENCE_STATES, ORDER_STATES
from backend.orders.refund_contracts import REFUND_STATES
from backend.payments.charge_contracts import CHARGE_STATES
from backend.payments.contracts import BILL_STATES
from backend.payments.stay_contracts import STAY_STATES
from backend.people.document_contracts import DUPLICATE_STATES
from backend.policies import queries as policies
from backend.policies import service as policy_service
from backend.policies.contracts import AnnounceOutage, OutageView, Service
from backend.policies.document_contracts import DOCUMENT_STATES
from backend.prescriptions.contracts import PRESCRIPTION_STATES
from backend.proxies.contracts import BINDING_STATES
from backend.ratings.contracts import RATING_STATES
from backend.reports.contracts import REPORT_STATES, REWARD_STATES
from backend.reports.handling_contracts import UNMASK_STATES
from backend.rulebook.library import rulebook
from backend.rulebook.packs import PackInvalid
from backend.sample_data.clinics import load_clinics
from backend.sample_data.load import load_sample_data
from backend.settlement import queries as settlements
from backend.settlement.casebook import CaseInvalid
from backend.sharing import queries as sharing
from backend.sharing.contracts import TRANSFER_STATES
from backend.statements.contracts import MISMATCH_STATES
from backend.supervision.contracts import ALERT_STATES
from mobile_bff import documents
from mobile_bff.claim_tools import add_claim_commands
from mobile_bff.contribution_tools import add_contribution_commands
from mobile_bff.desk.schema import DESK_DOCUMENTS, DESK_SDL, make_desk_schema
from mobile_bff.document_tools import add_document_commands
from mobile_bff.institution_tools import add_institution_commands
from mobile_bff.operator_tools import add_operator_commands
from mobile_bff.payment_tools import add_payment_commands
from mobile_bff.person_tools import add_person_commands
from mobile_bff.policy_tools import add_policy_commands
from mobile_bff.processes import DidNotStart, is_taken
from mobile_bff.schema import make_schema
from mobile_bff.staff_tools import add_staff_commands
from mobile_bff.start import make_seal, migrate, open_resources
from mobile_bff.trusted import digest
from mobile_bff.verify_tools import add_verify_command

T = TypeVar("T")
PUBLIC_KEY_BYTES = 32
ROOT = Path(__file__).parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="yibao", description="医保 Yibao, the server and its tools"
    )
    _add_commands(parser)
    options = parser.parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except (SettingsError, KeysError, PackInvalid, DidNotStart, CaseInvalid) as error:
        print(f"yibao: {error}", file=sys.stderr)
        return 2


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    serve = add("serve", _serve, "start the server")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8080)
    serve.add_argument("--workers", type=int, default=1)
    add("migrate", _migrate, "bring the database to the newest schema")
    add("seed", _seed, "fill an empty database with the fictitious sample province")
    keys = add("keys", _keys, "make a key ring where there is none, or rotate it")
    keys.add_argument("--rotate", action="store_true", help="new keys before the ones there are")
    add("verify", _verify, "prove audit chains, ledger, settlements and accumulators")
    add("outbox", _outbox, "list messages that could not be delivered")
    add("schema", _schema, "write schema.graphql")
    add("documents", _documents, "write the manifest of the app's documents")
    add("states", _states, "print the state diagrams")
    add_policy_commands(add)
    add_operator_commands(add, _write, _read, _operator)
    add_person_commands(add, _write, _read, _operator)
    add_staff_commands(add, _write, _read, _operator)
    add_verify_command(add)
    add_claim_commands(add, _write, _read, _operator)
    add_contribution_commands(add, _write, _operator)
    add_document_commands(add, _write, _read, _operator)
    add_institution_commands(add, _write, _operator)
    add_payment_commands(add, _write, _read, _operator)
    settled = add("settlement", _settlement, "reckon every stored settlement again and compare")
    settled.add_argument("action", choices=["replay"])
    match = add("match", _match, "list local items that wait for a person, or decide one")
    match.add_argument("item", nargs="?", help="id of a local item; none: list them")
    match.add_argument("code", nargs="?", help="its national code; NONE: no national item is meant")
    match.add_argument("--from", dest="starts", help="first day, 2026-12-01; none: today")
    agreement = add("agreement", _agreement, "open, suspend or end an institution's agreement")
    agreement.add_argument("code")
    agreement.add_argument("state", choices=[state.value for state in Agreement])
    terminal = add("terminal", _terminal, "register a terminal, or withdraw one for good")
    terminal.add_argument("number")
    terminal.add_argument("--institution", metavar="CODE")
    terminal.add_argument("--public-key", metavar="HEX", help="32 bytes of an Ed25519 public key")
    terminal.add_argument("--withdraw", action="store_true")
    outage = add("outage", _outage, "announce an outage, or end one")
    outage.add_argument("--area")
    outage.add_argument("--service", action="append", choices=[s.value for s in Service])
    outage.add_argument("--from", dest="starts", help="local time, 2026-11-22T22:00")
    outage.add_argument("--to", dest="ends", help="local time")
    outage.add_argument("--reason", default="系统维护")
    outage.add_argument("--instead", default="请稍后再试；急需时先自费并保留票据。")
    outage.add_argument("--end", metavar="ID", help="end this outage now")
    tour = add("tour", _tour, "walk through a whole story: filing for a father, to his discharge")
    tour.add_argument("story", choices=["filing"])
    tour.add_argument("--port", type=int, default=8080)
    demo = add("demo", _demo, "run the whole path through the public API and keep serving")
    demo.add_argument("--exit", action="store_true", help="stop when the path has been run")
    demo.add_argument("--port", type=int, default=8080)


def _settings() -> Settings:
    return Settings.from_environment(os.environ)


@contextmanager
def _opened() -> Iterator[Database]:
    database = Database(open_resources(_settings()))
    try:
        yield database
    finally:
        database.close()


def _write(work: Callable[[Unit], T]) -> T:
    with _opened() as database:
        return database.write(work)


def _read(work: Callable[[Unit], T]) -> T:
    with _opened() as database:
        return database.read(work)


def _serve(options: argparse.Namespace) -> int:
    with _opened() as database:
        migrate(database)
    uvicorn.run(
        "mobile_bff.app:from_environment",
        factory=True,
        host=options.host,
        port=options.port,
        workers=options.workers,
        ws_max_size=65_536,
        log_level="warning",
    )
    return 0


def _migrate(_options: argparse.Namespace) -> int:
    with _opened() as database:
        migrate(database)
    return 0


def _seed(_options: argparse.Namespace) -> int:
    with _opened() as database:
        migrate(database)
        terminals = database.write(load_sample_data)
        database.write(load_clinics)
    print(f"{len(terminals)} institutions with a terminal each, and the sample people")
    return 0


def _keys(options: argparse.Namespace) -> int:
    settings = _settings()
    path, reporters = settings.resolved_keys_file, settings.resolved_reporters_keys_file
    if options.rotate:
        master, signing = rotate_keys(path, SystemIds())
        apart, _ = rotate_keys(reporters, SystemIds())
        print(f"new data is sealed with {master}, new tokens are signed with {signing}")
        print(f"who reports misuse is sealed with {apart}")
        print("restart the workers one after another; back both files up, in two places")
        return 0
    missing = [ring for ring in (path, reporters) if not ring.exists()]
    if not missing:
        print(f"there is a key ring at {path} already", file=sys.stderr)
        return 1
    for ring in missing:
        make_keys(ring, SystemIds())
        print(f"made {ring}; keep it safe and back it up, without it sealed data cannot be read")
    if reporters in missing:
        print("who reports misuse is sealed with the reporters' ring: keep its backup elsewhere")
    if not settings.resolved_seal_file.exists():
        make_seal(settings)
        print(f"made {settings.resolved_seal_file}, a seal for trials; a real one comes from a CA")
    return 0


def _verify(_options: argparse.Namespace) -> int:
    def read(unit: Unit) -> list[object]:
        book = rulebook()
        money = (*ledger.verify(unit), *sharing.verify(unit), *orders.verify(unit))
        return [*audit.verify(unit), *money, *settlements.verify(unit, book)]

    faults = _read(read)
    for fault in faults:
        print(fault)
    print("all of it adds up" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def _outbox(_options: argparse.Namespace) -> int:
    given_up = _read(outbox.undelivered)
    for message in given_up:
        at = local_minute(message.created_at)
        print(message.id, message.channel, message.kind, at, message.failure)
    return 1 if given_up else 0


def _schema(_options: argparse.Namespace) -> int:
    (ROOT / "schema.graphql").write_text(make_schema().as_str() + "\n", encoding="utf-8")
    DESK_SDL.write_text(make_desk_schema().as_str() + "\n", encoding="utf-8")
    return 0


def _documents(_options: argparse.Namespace) -> int:
    for folder in (documents.FOLDER, DESK_DOCUMENTS):
        names = documents.names(folder)
        manifest = {digest(documents.document(name, folder)): name for name in names}
        text = json.dumps(dict(sorted(manifest.items(), key=lambda item: item[1])), indent=2)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return 0


_STATE_TABLES = (
    *(CODE_STATES, CHARGE_STATES, BILL_STATES, ALERT_STATES, ORDER_STATES),
    *(STAY_STATES, PAY_LATER_STATES),
    *(BINDING_STATES, FACE_STATES, TRANSFER_STATES, DUPLICATE_STATES),
    *(PROPOSAL_STATES, FILING_STATES, FILING_MATTER_STATES, CANCEL_MATTER_STATES),
    *(CHRONIC_MATTER_STATES, CLAIM_MATTER_STATES, CHOICE_MATTER_STATES, TEAM_MATTER_STATES),
    *(CAPITATION_MATTER_STATES, COMPLAINT_MATTER_STATES),
    *(ENROLMENT_MATTER_STATES, TRANSFER_MATTER_STATES, CONTRIBUTION_STATES),
    *(DIFFERENCE_STATES, RATING_STATES, APPOINTMENT_STATES, WAITING_STATES),
    *(REPORT_STATES, REWARD_STATES, UNMASK_STATES, PRESCRIPTION_STATES, REFUND_STATES),
    *(AGREEMENT_STATES, REPAYMENT_STATES, MISMATCH_STATES),
    *(DOCUMENT_STATES, CARD_STATES, CERTIFICATE_STATES, TICKET_STATES),
)


def _states(_options: argparse.Namespace) -> int:
    for table in _STATE_TABLES:
        print(f"### {table.title}\n\n```mermaid\n{table.diagram()}\n```\n")
    return 0


def _settlement(_options: argparse.Namespace) -> int:
    replayed = _read(lambda unit: settlements.replay(unit, rulebook()))
    for fault in replayed.faults:
        print(fault)
    print(
        f"{replayed.settlements} settlements under {replayed.rulebooks} rulebooks reckoned again, "
        f"{len(replayed.faults)} come out differently"
    )
    if replayed.without_text:
        print(f"{replayed.without_text} of them from before the text of the law was kept")
    return 1 if replayed.faults else 0


def _match(options: argparse.Namespace) -> int:
    if not options.item:
        for institution_id, view in _read(lambda unit: catalogue.queued(unit, 50)):
            print(view.id, institution_id, view.item.name, view.item.specification)
            for found in view.candidates:
                print(f"    {found.score:>3} {found.code} {found.name} {found.specification}")
        return 0
    code = None if options.code == "NONE" else options.code

    def decide(unit: Unit) -> bool:
        starts = date.fromisoformat(options.starts) if options.starts else local_day(unit.now)
        decided = catalogue_service.decide_match(unit, _operator(), options.item, code, starts)
        return decided is not None

    return _done(_write(decide), f"there is no local item {options.item} or no code {options.code}")


def _agreement(options: argparse.Namespace) -> int:
    def change(unit: Unit) -> bool:
        found = institutions.by_code(unit, options.code)
        if found is not None:
            state = Agreement(options.state)
            institution_service.set_agreement(unit, _operator(), found.id, state)
        return found is not None

    return _done(_write(change), f"there is no institution {options.code}")


def _terminal(options: argparse.Namespace) -> int:
    if options.withdraw:
        withdrawn = _write(
            lambda u: institution_service.withdraw_terminal(u, _operator(), options.number)
        )
        return _done(withdrawn, f"there is no terminal {options.number}")
    key = bytes.fromhex(options.public_key or "")

    def register(unit: Unit) -> bool:
        found = institutions.by_code(unit, options.institution or "")
        if found is not None:
            institution_service.register_terminal(unit, options.number, found.id, key)
        return found is not None

    if len(key) != PUBLIC_KEY_BYTES:
        return _done(False, "--public-key takes 64 hexadecimal digits")
    return _done(_write(register), f"there is no institution {options.institution}")


def _done(well: bool, otherwise: str) -> int:
    if not well:
        print(otherwise, file=sys.stderr)
    return 0 if well else 1


def _outage(options: argparse.Namespace) -> int:
    if options.end:
        ended = _write(lambda unit: policy_service.end_outage(unit, _operator(), options.end))
        return _done(ended is not None, f"there is no outage {options.end}")
    if not options.area:
        for outage in _read(lambda unit: policies.outages(unit, None, 100)):
            span = f"{local_minute(outage.starts_at)} to {local_minute(outage.ends_at)}"
            print(outage.id, outage.area_code, ",".join(outage.services), span, outage.reason)
        return 0
    announced = _write(
        lambda unit: policy_service.announce_outage(
            unit,
            AnnounceOutage(
                actor=Operator(_operator()),
                area_code=options.area,
                services=tuple(Service(name) for name in options.service or list(Service)),
                starts_at=_local(options.starts),
                ends_at=_local(options.ends),
                reason=options.reason,
                instead=options.instead,
            ),
        )
    )
    print(announced.id if isinstance(announced, OutageView) else announced)
    return 0


def _demo(options: argparse.Namespace) -> int:
    from mobile_bff.demo import run_demo  # drags in the client's libraries, for this command only

    if is_taken(options.port):
        raise DidNotStart(f"port {options.port} is taken; choose another with --port")
    return run_demo(options.port, keep_serving=not options.exit)


def _tour(options: argparse.Namespace) -> int:
    from mobile_bff.tour import run_tour  # drags in the client's libraries, for this command only

    if is_taken(options.port):
        raise DidNotStart(f"port {options.port} is taken; choose another with --port")
    return run_tour(options.port)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def _operator() -> str:
    return os.environ.get("USER", "console")


if __name__ == "__main__":
    sys.exit(main())
