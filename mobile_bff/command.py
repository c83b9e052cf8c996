"""The command ``yibao``: serve, migrate, seed, check, draw, and the operator's few levers.

Only the module of the command that is run is imported: what serves patients takes seconds to load, and a
clerk who checks one file does not wait for it.
"""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from backend.kernel.errors import OperatorError

INTERRUPTED = 130
"""Exit status of a program that Ctrl-C has ended, as shells have it."""


class Command(NamedTuple):
    """A command: its name, what its help says, and the function of this package that adds its arguments."""

    name: str
    text: str
    function: str


COMMANDS = (
    Command("serve", "start the server", "command:serve_command"),
    Command(
        "migrate",
        "bring the database to the newest schema",
        "installation_tools:migrate_command",
    ),
    Command(
        "seed",
        "fill an empty database with the fictitious sample province",
        "installation_tools:seed_command",
    ),
    Command(
        "keys",
        "make a key ring where there is none, or rotate it",
        "installation_tools:keys_command",
    ),
    Command(
        "verify",
        "prove audit chains, ledger, settlements and accumulators",
        "book_tools:verify_command",
    ),
    Command(
        "outbox",
        "list messages that could not be delivered",
        "book_tools:outbox_command",
    ),
    Command("schema", "write schema.graphql", "schema_tools:schema_command"),
    Command(
        "documents",
        "write the manifest of the app's documents",
        "schema_tools:documents_command",
    ),
    Command("states", "print the state diagrams", "state_tools:states_command"),
    Command(
        "policy",
        "check, try, compare and explain parameter packs",
        "policy_tools:policy_command",
    ),
    Command(
        "capitation",
        "sign, list and rest agreements by head; clear months and years of pilot hospitals",
        "operator_tools:capitation_command",
    ),
    Command(
        "misuse",
        "list settlements that people say were not theirs",
        "operator_tools:misuse_command",
    ),
    Command(
        "vouch",
        "at a counter: list a person's devices, or vouch for who holds one of them",
        "operator_tools:vouch_command",
    ),
    Command(
        "register",
        "people without a phone here who registered: list them, approve or reject one at a counter",
        "operator_tools:register_command",
    ),
    Command(
        "family",
        "requests between relatives that wait; approve or reject papers, end a binding",
        "operator_tools:family_command",
    ),
    Command(
        "jobs",
        "list items of jobs that failed and are tried again",
        "operator_tools:jobs_command",
    ),
    Command(
        "pay-later",
        "list debts of pay-later agreements, take payments, tell, list a default",
        "operator_tools:pay_later_command",
    ),
    Command(
        "person",
        "at a counter: a person's documents; record another, or the ID number of who had none",
        "person_tools:person_command",
    ),
    Command(
        "duplicates",
        "records that may be one person's: list, scan, propose to merge, confirm as another clerk",
        "person_tools:duplicates_command",
    ),
    Command(
        "staff",
        "who works at the desk: list, add (or reset), change duties, block",
        "staff_tools:staff_command",
    ),
    Command(
        "verify-code",
        "verify a signed identity code with nothing but a trust list",
        "verify_tools:verify_code_command",
    ),
    Command(
        "claim",
        "book a manual claim from a file, show a person's claims, or take one back",
        "claim_tools:claim_command",
    ),
    Command(
        "contributions",
        "book the tax authority's file of paid bills; the same file again does nothing",
        "contribution_tools:contributions_command",
    ),
    Command(
        "document",
        "policy documents: draft from a file, publish, withdraw, find; load those of the rulebook",
        "document_tools:document_command",
    ),
    Command(
        "reindex",
        "let institutions and the catalogue be found by what they are called now",
        "document_tools:reindex_command",
    ),
    Command(
        "institutions",
        "take up a directory of institutions; the same file again changes nothing",
        "institution_tools:institutions_command",
    ),
    Command(
        "payments",
        "list payments whose end is not decided; ask a channel once more to give cash back",
        "payment_tools:payments_command",
    ),
    Command(
        "settlement",
        "reckon every stored settlement again and compare",
        "book_tools:settlement_command",
    ),
    Command(
        "match",
        "list local items that wait for a person, or decide one",
        "match_tools:match_command",
    ),
    Command(
        "agreement",
        "open, suspend or end an institution's agreement",
        "terminal_tools:agreement_command",
    ),
    Command(
        "terminal",
        "register a terminal, or withdraw one for good",
        "terminal_tools:terminal_command",
    ),
    Command("outage", "announce an outage, or end one", "outage_tools:outage_command"),
    Command(
        "tour",
        "walk through a whole story: filing for a father, to his discharge",
        "demo_tools:tour_command",
    ),
    Command(
        "demo",
        "run the whole path through the public API and keep serving",
        "demo_tools:demo_command",
    ),
)
"""In the order of the help. Texts stand here, because help imports no module."""


class CommandParser(argparse.ArgumentParser):
    """Reads the arguments of one command, which are added when it is run or its help is asked for."""

    function = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Import what the command needs, then read."""
        if self.function:
            add_arguments: Callable[[argparse.ArgumentParser], None]
            add_arguments = pkgutil.resolve_name(f"mobile_bff.{self.function}")
            self.function = ""
            add_arguments(self)
        return super().parse_known_args(args, namespace)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="yibao", description="医保 Yibao, the server and its tools"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=CommandParser)
    for name, text, function in COMMANDS:
        commands.add_parser(name, help=text, description=text).function = function
    try:
        options = parser.parse_args(arguments)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except OperatorError as error:
        print(f"yibao: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


def serve_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao serve``."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--fd", type=int, help="a socket that listens already, in place of these")
    parser.add_argument("--workers", type=int, default=1)
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    from mobile_bff import console, serving  # each worker imports this module first
    from mobile_bff.start import migrate
    from mobile_bff.wire import server_options

    with console.opened() as database:
        migrate(database)
    settings = console.settings()
    return serving.run(
        host=options.host,
        port=options.port,
        descriptor=options.fd,
        workers=options.workers,
        log_level="warning",
        timeout_worker_healthcheck=settings.worker_answer_seconds,
        **server_options(settings),
    )


if __name__ == "__main__":
    sys.exit(main())
