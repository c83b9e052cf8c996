"""``yibao policy``: what people who own the law need to write it, try it, and see what a change does.

Each action imports what it alone needs: who checks one file waits for neither tables nor words.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale
from backend.kernel.money import Fen, parse_yuan, yuan_text
from backend.rulebook.contracts import RuleRef
from backend.rulebook.library import Rulebook, make_book, packs_in, rulebook, shipped_packs
from backend.rulebook.lint import LEAD_DAYS, check, overlaid
from backend.rulebook.packs import PackInvalid
from backend.rulebook.vocabulary import Vocabulary, vocabulary

if TYPE_CHECKING:
    from rich.console import Console

    from backend.settlement.casebook import Settled
    from backend.settlement.contracts import Outcome

SEED = "held-out"
"""The thresholds were set on another year, so that none fits this one by having seen it."""
SHOWN = ("basic", "fund", "hospital", "account", "family", "cash")


def policy_command(parser: argparse.ArgumentParser) -> None:
    """Add the actions of ``yibao policy`` with their arguments."""
    actions = parser.add_subparsers(metavar="ACTION", parser_class=argparse.ArgumentParser)

    def action(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    parser.set_defaults(run=_help, parser=parser)
    linted = action("check", _check, "check packs: form, words, gaps, bounds, lead time, sources")
    linted.add_argument("packs", nargs="*", type=Path, help="files or folders; none: the shipped")
    linted.add_argument("--lead-days", type=int, default=LEAD_DAYS, help="days before a new value")
    linted.add_argument("--remarks", action="store_true", help="print remarks too")
    tried = action("run", _run, "run cases against packs and print differences to the fen")
    tried.add_argument("packs", nargs="*", type=Path, help="in place of shipped packs of the topic")
    tried.add_argument("--cases", nargs="+", type=Path, required=True)
    compared = action("diff", _diff, "show who would pay what under a change")
    compared.add_argument("old", type=Path)
    compared.add_argument("new", type=Path)
    compared.add_argument("--cases", nargs="+", type=Path, required=True)
    told = action("explain", _explain, "print the working of a case in plain sentences")
    told.add_argument("case", type=Path)
    told.add_argument("packs", nargs="*", type=Path, help="in place of shipped packs of the topic")
    told.add_argument("--english", action="store_true")
    measured = action("alarms", _alarms, "measure the monitoring rules on a made-up year")
    measured.add_argument("packs", nargs="*", type=Path, help="in place of shipped packs")
    measured.add_argument("--seed", default=SEED, help="another seed makes another year")
    action("words", _words, "print every topic and parameter that packs may use")


def _help(options: argparse.Namespace) -> int:
    options.parser.print_help()
    return 2


def _check(options: argparse.Namespace) -> int:
    shipped = shipped_packs()
    packs = packs_in(*options.packs) if options.packs else shipped
    found = check(packs, shipped, local_day(SystemClock().now()), options.lead_days)
    for fault in found.faults:
        print(fault)
    for remark in found.remarks if options.remarks else ():
        print(f"(remark) {remark}")
    if not found.faults:
        book = make_book(packs)
        print(f"{len(packs)} packs, {len(book.parameters)} parameters, no fault", end="")
        print(f", {len(found.remarks)} remarks; digest {book.digest[:16]}")
    return 1 if found.faults else 0


def _run(options: argparse.Namespace) -> int:
    from backend.settlement.casebook import differences, read_cases, settle_case

    book, wrong, bills = _book(options.packs), 0, 0
    cases = read_cases(*options.cases)
    for document in cases:
        settled = settle_case(document, book)
        bills += len(settled)
        faults = differences(settled)
        wrong += bool(faults)
        for fault in faults:
            print(f"{document['id']}: {fault}")
    print(f"{len(cases)} cases, {bills} bills, {wrong} cases differ")
    return 1 if wrong else 0


def _alarms(options: argparse.Namespace) -> int:
    print(alarms(_book(options.packs), options.seed))
    return 0


def alarms(book: Rulebook, seed: str = SEED) -> str:
    """Return, as a table in Markdown, how the monitoring rules do on a made-up year."""
    from backend.sample_data.year import make_year
    from backend.supervision.measuring import measure
    from backend.supervision.rules import terms_in

    year = make_year(seed)
    terms = cache(lambda day: terms_in(book, "510000", day))
    honest = sum(one.fraud is None for one in year.sales)
    lines = [
        f"{len(year.sales)} sales, of which {len(year.sales) - honest} frauds",
        "",
        "| Rule | does | planted | caught | alerts right | false alarms | per 10,000 honest sales "
        "| honest payments held |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.monitor.text(Locale.ZH)} {one.monitor.text(Locale.EN)} | {one.effect} | {one.planted} "
        f"| {one.caught} | {one.right} | {one.wrong} | {one.wrong * 10_000 / honest:.1f} | {one.wrong_held} |"
        for one in measure(year.sales, year.died, terms)
    ]
    return "\n".join(lines)


def _diff(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from backend.settlement.casebook import read_cases, settle_case

    old, new = _book([options.old]), _book([options.new])
    console, moved = Console(), 0
    table = Table(box=None, header_style="bold")
    for title in ("case", "bill", "payer", "old", "new", "change"):
        table.add_column(title, justify="left" if title in ("case", "payer") else "right")
    cases = read_cases(*options.cases)
    for document in cases:
        pairs = zip(settle_case(document, old), settle_case(document, new), strict=True)
        for number, (before, after) in enumerate(pairs, 1):
            rows = list(_changes(before, after))
            moved += bool(rows)
            for row in rows:
                table.add_row(document["id"], str(number), *row)
    console.print(table)
    console.print(f"{len(cases)} cases, {moved} bills come out differently")
    return 0


def _changes(before: Settled, after: Settled) -> list[tuple[str, str, str, str]]:
    if before.refusal or after.refusal:
        if before.refusal == after.refusal:
            return []
        return [("(refusal)", before.refusal or "settled", after.refusal or "settled", "")]
    names = [*SHOWN, *sorted(n for n in {*before.shown, *after.shown} if _is_payer(n))]
    rows = []
    for name in dict.fromkeys(names):
        old, new = before.shown.get(name, "0.00"), after.shown.get(name, "0.00")
        if old != new:
            rows.append((name, old, new, _difference(old, new)))
    return rows


def _is_payer(name: str) -> bool:
    topics = vocabulary().topics
    plain = "." not in name and name not in _AMOUNTS
    return plain and name not in topics


_AMOUNTS = frozenset(
    {"total", "full_self_pay", "over_limit", "prepaid_share", "in_scope", "deductible", "personal"}
    | {"account_after", "family_after", "hospital_due", "year"}
)


def _difference(old: str, new: str) -> str:
    change = parse_yuan(new) - parse_yuan(old)
    return f"{'+' if change > 0 else ''}{yuan_text(Fen(change))}"


def _explain(options: argparse.Namespace) -> int:
    from rich.console import Console

    from backend.settlement.casebook import read_cases, settle_case

    book = _book(options.packs)
    locale = Locale.EN if options.english else Locale.ZH
    console = Console(highlight=False)
    for document in read_cases(options.case):
        for number, settled in enumerate(settle_case(document, book), 1):
            title = f"{document['id']} {document.get('title', '')} ({number})"
            console.print(f"\n[bold]{title}[/]", soft_wrap=True)
            _print_working(console, settled, locale)
    return 0


def _print_working(console: Console, settled: Settled, locale: Locale) -> None:
    if settled.outcome is None:
        console.print(f"[yellow]{settled.refusal}[/]", soft_wrap=True)
        return
    for text in told(settled.outcome, locale):
        console.print(text, soft_wrap=True, markup=False)


def told(outcome: Outcome, locale: Locale) -> list[str]:
    """Return an outcome as lines for a person: sentences payer by payer, then the rules they stand on."""
    from mobile_bff.explanation import explain, payer_name, summary

    lines, rules, payer = [], list[RuleRef](), None
    for sentence in explain(outcome, locale):
        if sentence.payer is not None and sentence.payer is not payer:
            payer = sentence.payer
            lines.append(f"\n{payer_name(payer, locale)}")
        mark = ""
        if sentence.ref is not None and sentence.step is not None:
            if sentence.ref not in rules:
                rules.append(sentence.ref)
            mark = f" [{rules.index(sentence.ref) + 1}]"
        lines.append(f"  {sentence.text}{mark}")
    zh = locale is Locale.ZH
    lines += ["", summary(outcome, locale), "", "依据" if zh else "Rules"]
    for number, ref in enumerate(rules, 1):
        since = f"自{ref.effective_from}" if zh else f"since {ref.effective_from}"
        open_ = ("（暂定）" if zh else " (provisional)") if ref.provisional else ""
        lines.append(
            f"  [{number}] {ref.rule} {since} 《{ref.document}》{ref.number} {ref.clause}{open_}"
        )
    return lines


def _words(_options: argparse.Namespace) -> int:
    print(guide(vocabulary()))
    return 0


def guide(known: Vocabulary) -> str:
    """Return the vocabulary as the tables of the guide to writing packs."""
    lines = ["| dimension | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in known.dimensions.items()]
    for topic in known.topics.values():
        lines += ["", f"### {topic.names}", "", f"{topic.meaning}", ""]
        lines += [
            "| parameter | unit | must be there | choices | meaning |",
            "|---|---|---|---|---|",
        ]
        for name, term in topic.terms.items():
            must = {"True": "yes", "": ""}.get(term.required, term.required)
            choices = " ".join(f"`{choice}`" for choice in term.choices)
            lines.append(f"| `{name}` | {term.unit} | {must} | {choices} | {term.meaning} |")
    return "\n".join(lines)


def _book(places: list[Path]) -> Rulebook:
    if not places:
        return rulebook()
    packs: dict[str, Any] = packs_in(*places)
    book = make_book(overlaid(shipped_packs(), packs))
    if not packs:
        raise PackInvalid("there is no pack in " + ", ".join(str(place) for place in places))
    return book
