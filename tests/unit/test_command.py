"""The operator's levers, through the command itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import select

from backend.access.assurance import StepUpRequired
from backend.catalogue.contracts import ItemKind, LocalItem, UploadItems
from backend.catalogue.service import upload_items
from backend.identity import safety
from backend.identity.safety_contracts import FreezeAccount, UnfreezeAccount
from backend.infra import queue
from backend.infra.database import Unit
from backend.infra.keys import load_keys
from backend.infra.model import OutboxMessage
from backend.infra.outbox import Channel, enqueue
from backend.institutions import queries as institutions
from backend.institutions import service
from backend.institutions.contracts import (
    AgreementNotOpen,
    OpenTerminalSession,
    SearchInstitutions,
    TerminalSessionView,
)
from backend.payments.contracts import ReportNotMe
from backend.payments.misuse import report_not_me
from backend.people import queries as people
from backend.policies.contracts import OutageNow, Service
from mobile_bff.command import main
from tests.usecases.test_documents import BABY, NUMBER, registered_baby
from tests.usecases.test_documents import register as register_again
from tests.usecases.test_enrolment import bills, registered
from tests.usecases.test_registration import ELDER, register
from tests.usecases.test_relatives import request
from tests.world import IBUPROFEN, LEVEL_3, OTHER_PHARMACY, PHARMACY, VISIT, World, line, new_key


@pytest.fixture
def yibao(
    world: World,
    keys_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    monkeypatch.setenv("YIBAO_DATABASE_URL", world.settings.database_url)
    monkeypatch.setenv("YIBAO_KEYS_FILE", str(keys_file))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        printed = capsys.readouterr()
        return status, printed.out.strip(), printed.err.strip()

    return run


def test_verify_and_outbox(world: World, yibao: Any) -> None:
    world.reverse(world.buy("worker", line(IBUPROFEN)).id)
    assert yibao("verify") == (0, "all of it adds up", "")
    assert yibao("outbox") == (0, "", "")


def test_agreements(world: World, yibao: Any) -> None:
    assert yibao("agreement", OTHER_PHARMACY, "SUSPENDED")[0] == 0
    command = OpenTerminalSession(world.assertion(OTHER_PHARMACY), "1", "o")
    assert isinstance(world.do(service.open_terminal_session, command), AgreementNotOpen)
    status, _, said = yibao("agreement", "P0", "OPEN")
    assert (status, said) == (1, "there is no institution P0")


def test_terminals(world: World, yibao: Any) -> None:
    import jwt

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    arguments = ("terminal", "T-NEW", "--institution", PHARMACY, "--public-key", public)
    assert yibao(*arguments)[0] == 0
    now = int(world.clock.now().timestamp())
    claims = {"iss": "T-NEW", "aud": "openTerminalSession", "iat": now, "exp": now + 30}

    def sign_in(serial: str) -> object:
        assertion = jwt.encode({**claims, "jti": serial}, key, "EdDSA")
        return world.do(service.open_terminal_session, OpenTerminalSession(assertion, "1", "o"))

    assert isinstance(sign_in("1"), TerminalSessionView)
    assert yibao("terminal", "T-NEW", "--withdraw")[0] == 0
    assert not isinstance(sign_in("2"), TerminalSessionView)
    for wrong in (
        ("terminal", "T-NOBODY", "--withdraw"),
        ("terminal", "T-2", "--institution", "P0", "--public-key", public),
        ("terminal", "T-2", "--institution", PHARMACY, "--public-key", "00"),
    ):
        status, _, said = yibao(*wrong)
        assert status == 1
        assert said


def test_outages(world: World, yibao: Any) -> None:
    text = world.issue("worker").text
    span = ("--from", "2026-06-15T09:00", "--to", "2026-06-15T11:00")
    status, outage_id, _ = yibao("outage", "--area", "510100", *span)
    assert status == 0
    assert isinstance(world.scan_text(text), OutageNow)
    assert yibao("outage", "--end", outage_id)[0] == 0
    assert yibao("outage", "--end", "nothing")[0] == 1
    span = ("--from", "2099-06-15T09:00", "--to", "2099-06-15T11:00")
    _, outage_id, _ = yibao("outage", "--area", "510100", *span)
    shown = f"{outage_id} 510100 {','.join(Service)} 2099-06-15 09:00 to 2099-06-15 11:00 系统维护"
    assert yibao("outage") == (0, shown, "")


def test_messages_that_were_given_up_are_listed_by_the_local_minute(
    world: World, yibao: Any
) -> None:
    def give_up(unit: Unit) -> None:
        enqueue(unit, Channel.SMS, "t", "code", "{}")
        unit.db.flush()
        message = unit.db.exec(select(OutboxMessage).where(OutboxMessage.channel == "SMS")).one()
        message.next_attempt_at, message.failure = None, "503"

    world.clock.forward(hours=14, seconds=1)
    world.database.write(give_up)
    status, said, _ = yibao("outbox")
    assert status == 1
    assert said.split(" ", 1)[1].strip() == "SMS code 2026-06-16 00:00 503"


def test_items_of_jobs_that_failed_are_listed(world: World, yibao: Any) -> None:
    assert yibao("jobs") == (0, "", "")
    failed = partial(queue.postpone, job="matter.expire", item="A1", failure="KeyError")
    world.database.write(failed)
    assert yibao("jobs") == (1, "matter.expire A1 1x 2026-06-15 10:00 KeyError", "")


def test_keys_are_never_overwritten(yibao: Any, keys_file: Path) -> None:
    before = keys_file.read_bytes()
    assert yibao("keys")[0] == 1
    assert keys_file.read_bytes() == before
    assert keys_file.stat().st_mode & 0o077 == 0


def test_policy_check_names_every_fault(yibao: Any, tmp_path: Path) -> None:
    assert yibao("policy", "check")[0] == 0
    (tmp_path / "bad.yaml").write_text("pack: X\nregion: nowhere\n", encoding="utf-8")
    status, said, _ = yibao("policy", "check", str(tmp_path))
    assert status == 1
    assert "bad.yaml" in said
    assert "nowhere" in said


def test_unknown_settings_stop_the_start(yibao: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIBAO_CODE_SECS", "1")
    status, _, said = yibao("verify")
    assert status == 2
    assert "YIBAO_CODE_SECS" in said


def test_settlement_replay_counts_what_it_reckons_again(world: World, yibao: Any) -> None:
    world.buy("worker", line(IBUPROFEN, "1", "300.00"))
    status, said, _ = yibao("settlement", "replay")
    assert (status, said) == (
        0,
        "1 settlements under 1 rulebooks reckoned again, 0 come out differently",
    )


def test_local_items_are_decided_at_the_console(world: World, yibao: Any) -> None:
    item = LocalItem("A2", ItemKind.DRUG, "阿莫西淋胶囊", "", "0.25g×24粒", "", "")
    world.do(upload_items, UploadItems(world.terminal(), (item,), new_key()))
    status, said, _ = yibao("match")
    assert status == 0
    code = "XJ01CAA001E001010100001"
    assert f"{code} 阿莫西林胶囊 0.25g×24粒" in said
    local_id = said.split()[0]
    assert yibao("match", "nothing", code)[0] == 1
    assert yibao("match", local_id, "nothing")[0] == 1
    assert yibao("match", local_id, code)[0] == 0
    assert yibao("match") == (0, "", "")


def test_pay_later_is_followed_up_at_the_console(world: World, yibao: Any) -> None:
    world.change_settings(confirm_above_fen=10**9)
    stay = world.admit("aided", pay_later=True)
    world.settle_stay(stay.id, line(VISIT, "1", "10500.00", traces=0), instalments=2)
    status, said, _ = yibao("pay-later", "show")
    assert status == 0
    assert "OWING" in said
    agreement = said.split()[0]
    assert yibao("pay-later", "list", agreement)[0] == 1
    status, said, _ = yibao("pay-later", "pay", agreement, "100.00")
    assert status == 0
    assert said.startswith(agreement)
    assert yibao("pay-later", "pay", agreement, "100000")[0] == 1


HERE = ("--area", "510100")


def test_capitation_needs_a_rule_an_institution_and_an_area(yibao: Any) -> None:
    assert yibao("capitation", "month", "H0", "2026-03", *HERE)[0] == 1
    status, _, said = yibao("capitation", "month", LEVEL_3, "2026-03")
    assert (status, said) == (2, "--area names whose fund pays, such as 510100")
    status, _, said = yibao("capitation", "year", LEVEL_3, "2026", *HERE)
    assert status == 1
    assert "capitation.quality_deduction_max" in said


DIRECTORY = "code,name,kind,level,division_code,address,abilities,agreement"


def test_a_directory_of_institutions_is_taken_up_once(
    world: World, yibao: Any, tmp_path: Path
) -> None:
    path = tmp_path / "directory.csv"
    chongqing = "H50010300001,重庆样例医院,HOSPITAL,3,500103,示例路1号,OUTPATIENT INPATIENT,OPEN"
    shop = "P50010300001,重庆样例药店,PHARMACY,,500103,示例路2号,OUTPATIENT_POOLING,OPEN"
    path.write_text(f"{DIRECTORY}\n{chongqing}\n{shop}\n", encoding="utf-8")
    assert yibao("institutions", str(path))[1] == "2 new, 0 changed, 0 as they were"
    assert yibao("institutions", str(path))[1] == "0 new, 0 changed, 2 as they were"
    first = world.database.read(lambda u: institutions.by_code(u, "H50010300001"))
    assert first is not None
    assert (first.area_code, first.level, first.name) == ("500100", 3, "重庆样例医院")
    moved = chongqing.replace("重庆样例医院", "重庆改名医院").replace("OPEN", "SUSPENDED")
    path.write_text(f"{DIRECTORY}\n{moved}\n", encoding="utf-8")
    assert yibao("institutions", str(path))[1] == "0 new, 1 changed, 0 as they were"
    again = world.database.read(lambda u: institutions.by_code(u, "H50010300001"))
    assert again is not None
    assert (again.id, again.agreement.value) == (first.id, "SUSPENDED")
    asked = SearchInstitutions("改名医院", open_agreements_only=False)
    found = world.database.read(lambda u: institutions.search_institutions(u, asked, 5))
    assert [one.institution.id for one in found] == [first.id]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("H5,重庆样例医院,HOSPITAL,9,500103,x,,OPEN", "level"),
        ("P5,重庆样例药店,PHARMACY,3,500103,x,,OPEN", "pharmacy"),
        ("H5,重庆样例医院,HOSPITAL,3,999999,x,,OPEN", "division"),
        ("H5,重庆样例医院,HOSPITAL,3,500103,x,FLYING,OPEN", "FLYING"),
        (",重庆样例医院,HOSPITAL,3,500103,x,,OPEN", "code"),
        ("H5,a,HOSPITAL,3,500103,x,,OPEN\nH5,b,HOSPITAL,3,500103,x,,OPEN", "twice"),
    ],
)
def test_a_directory_with_a_fault_is_refused_whole(
    world: World, yibao: Any, tmp_path: Path, line: str, says: str
) -> None:
    path = tmp_path / "directory.csv"
    good = "H50010300001,重庆样例医院,HOSPITAL,3,500103,x,,OPEN"
    path.write_text(f"{DIRECTORY}\n{good}\n{line}\n", encoding="utf-8")
    status, _, said = yibao("institutions", str(path))
    assert status == 1
    assert says in said
    assert world.database.read(lambda u: institutions.by_code(u, "H50010300001")) is None


def test_a_pilot_hospital_has_seats(yibao: Any) -> None:
    status, said, _ = yibao("capitation", "pilot", LEVEL_3, "12", *HERE)
    assert (status, "seats" in said, said.split()[-1]) == (0, True, "12")
    assert yibao("capitation", "pilot", LEVEL_3, "many", *HERE)[0] == 1
    assert yibao("capitation", "pilot", LEVEL_3, "12")[0] == 2


def test_capitation_agreements_are_signed_listed_and_rested(world: World, yibao: Any) -> None:
    enrolment = world.enrolment("chronic")
    status, said, _ = yibao("capitation", "sign", LEVEL_3, enrolment)
    assert status == 0
    agreement, whose, starts = said.split()[:3]
    assert whose == enrolment
    status, _, refused = yibao("capitation", "sign", LEVEL_3, enrolment)
    assert status == 1
    assert agreement in refused
    assert yibao("capitation", "rest", agreement, starts)[0] == 0
    status, said, _ = yibao("capitation", "list", LEVEL_3, starts, *HERE)
    assert status == 0
    assert said.startswith(f"{agreement} {enrolment} {starts}")
    assert said.endswith(f"rests in {starts}")
    status, _, said = yibao("capitation", "month", LEVEL_3, "2099-01", *HERE)
    assert (status, "it is not over" in said) == (1, True)
    assert yibao("capitation", "month", LEVEL_3, "soon", *HERE)[0] == 1
    assert yibao("capitation", "sign", LEVEL_3, "nobody")[0] == 1


def test_a_registration_is_listed_and_approved(world: World, yibao: Any) -> None:
    waits = register(world, ELDER)
    status, said, _ = yibao("register", "list")
    assert (status, said.startswith(waits.registration_id)) == (0, True)
    assert "周*例 120****0901" in said
    assert yibao("register", "reject", "nobody")[0] == 1
    assert yibao("register", "approve", waits.registration_id)[0] == 0
    assert yibao("register", "list") == (0, "", "")
    assert yibao("register", "approve", waits.registration_id)[0] == 1


def test_a_clerk_vouches_for_who_holds_a_device(world: World, yibao: Any) -> None:
    holder, other = world.actor("retiree"), world.actor("worker")
    number = world.database.read(lambda u: people.particulars(u, world.person("retiree")).id_number)
    assert yibao("vouch", "990101195001010000")[0] == 1
    status, said, _ = yibao("vouch", number)
    assert status == 0
    assert holder.session_id in said
    assert other.session_id not in said
    assert yibao("vouch", number, other.session_id)[0] == 1
    assert world.do(safety.freeze_account, FreezeAccount(holder, "")).frozen_at is not None
    unfreeze = UnfreezeAccount(holder)
    assert isinstance(world.do(safety.unfreeze_account, unfreeze), StepUpRequired)
    status, said, _ = yibao("vouch", number, holder.session_id)
    assert (status, said.startswith("counts as proven until")) == (0, True)
    assert world.do(safety.unfreeze_account, unfreeze).frozen_at is None


def test_documents_are_recorded_and_two_records_merged_by_two_clerks(
    world: World, yibao: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    baby = registered_baby(world)
    assert yibao("person", "show", "R510099001") == (
        0,
        f"{baby.id}\nBIRTH_CERTIFICATE R********1",
        "",
    )
    passport = ("person", "document", "R510099001", "E99000001", "--kind", "PASSPORT")
    status, _, why = yibao(*passport)
    assert (status, "a passport also needs its country" in why) == (1, True)
    status, said, _ = yibao(*passport, "--country", "uto", "--valid-until", "2030-01-31")
    assert said.splitlines()[-1] == "PASSPORT E*******1 UTO 2030-01-31"
    assert yibao("person", "show", "R999999999")[0] == 1
    second = register_again(world, replace(BABY, id_number=NUMBER)).id
    assert yibao("person", "number", "R510099001", NUMBER)[0] == 1  # somebody has it
    assert yibao("duplicates", "scan") == (0, "0 new pairs", "")
    status, said, _ = yibao("duplicates", "list")
    case = said.split()[0]
    assert [word in said for word in (case, baby.id, second, "no ID number")] == [True] * 4
    monkeypatch.setenv("USER", "first")
    propose = ("duplicates", "propose", case, "--keep", second)
    assert yibao(*propose)[0] == 1  # which papers?
    assert "  keep" in yibao(*propose, "--words", "户口本")[1]
    assert yibao("duplicates", "confirm", case)[0] == 1
    monkeypatch.setenv("USER", "second")
    assert yibao("duplicates", "withdraw", case)[0] == 0
    assert yibao(*propose, "--words", "户口本")[0] == 0
    monkeypatch.setenv("USER", "first")
    status, said, _ = yibao("duplicates", "confirm", case)
    assert (status, said.startswith(f"{baby.id} is now {second};")) == (0, True)
    assert yibao("duplicates", "list") == (0, "", "")
    assert yibao("duplicates", "differ", case, "--words", "x")[0] == 1
    assert yibao("person", "show", "E99000001")[1].splitlines()[0] == second


def test_staff_are_added_listed_given_other_duties_and_blocked(yibao: Any) -> None:
    assert yibao("staff", "add", "CD2001", "新人样例")[0] == 2
    assert yibao("staff", "add", "CD2001", "新人样例", "--duty", "CLERK:999999")[0] == 2
    assert yibao("staff", "add", "CD2001", "新人样例", "--duty", "MAYOR:510100")[0] == 2
    status, said, _ = yibao("staff", "add", "CD2001", "新人样例", "--duty", "CLERK:510100")
    assert (status, said.splitlines()[0].strip()) == (0, "CD2001 新人样例 CLERK:510100")
    assert "otpauth://totp/" in said
    status, said, _ = yibao("staff", "duties", "CD2001", "--duty", "CHECKER:510300")
    assert (status, said.strip()) == (0, "CD2001 新人样例 CHECKER:510300")
    assert yibao("staff", "block", "CD9999")[0] == 1
    assert "blocked" in yibao("staff", "block", "CD2001")[1]
    assert "CD2001 新人样例 CHECKER:510300 blocked" in yibao("staff", "list")[1]


CLAIM = """
id_number: "{number}"
institution: H51010400001
care: INPATIENT
first: 2026-06-01
last: 2026-06-10
invoices: ["51010026A0000001"]
lines:
  - {{code: 001101000010000-110100001, price: "3000.00"}}
  - {{name: 陪护费, price: "100.00"}}
"""


def test_a_claim_is_booked_shown_and_taken_back(world: World, yibao: Any, tmp_path: Path) -> None:
    def number(unit: Unit) -> str:
        return people.particulars(unit, world.person("retiree")).id_number

    file = tmp_path / "claim.yaml"
    file.write_text(CLAIM.format(number=world.database.read(number)), encoding="utf-8")
    status, said, _ = yibao("claim", "book", str(file))
    assert status == 0
    assert "total 3100.00, payable" in said
    claim_id = said.split()[0]
    status, _, refused = yibao("claim", "book", str(file))
    assert (status, "51010026A0000001" in refused) == (1, True)
    assert yibao("claim", "show", str(file))[1] == said
    status, said, _ = yibao("claim", "reverse", claim_id, "--reason", "重复录入")
    assert status == 0
    assert "payable 0.00" in said
    assert "taken back by" in said
    assert yibao("claim", "reverse", claim_id)[0] == 1
    assert yibao("verify") == (0, "all of it adds up", "")
    for wrong in ("lines: [1]", "nonsense: true", CLAIM.format(number="0")):
        file.write_text(wrong, encoding="utf-8")
        assert yibao("claim", "book", str(file))[0] == 1
    assert yibao("claim", "book", str(tmp_path / "no.yaml"))[0] == 1


def test_papers_of_relatives_are_approved_and_bindings_ended(world: World, yibao: Any) -> None:
    world.clock.instant = datetime.now(UTC)  # the command's own clock
    made = request(world, "worker", "elder_no_phone")
    status, said, _ = yibao("family", "list")
    assert (status, said.split()[:2]) == (0, [made.id, "PENDING_CONSENT"])
    status, said, _ = yibao("family", "approve", made.id)
    assert (status, said.split()[1]) == (0, "ACTIVE")
    assert yibao("family", "list")[1] == ""
    assert yibao("family", "pay", made.id, "--limit", "50", "--day", "100")[0] == 0
    assert yibao("family", "pay", made.id)[0] == 1
    assert yibao("family", "renew", made.id)[0] == 0
    assert yibao("family", "reject", made.id)[0] == 1
    assert yibao("family", "end", made.id)[1].split()[1] == "ENDED_BY_AGENCY"
    assert yibao("family", "end", "nothing")[0] == 1


def test_reports_of_misuse_are_listed(world: World, yibao: Any) -> None:
    assert yibao("misuse") == (0, "", "")
    settled = world.buy("worker", line(IBUPROFEN))
    command = ReportNotMe(world.actor("worker"), settled.id, "我在家", new_key())
    report = world.do(report_not_me, command)
    status, said, _ = yibao("misuse")
    assert (status, said.split()[:2]) == (0, [report.id, settled.id])
    assert said.endswith("我在家")


def test_keys_are_rotated(yibao: Any, keys_file: Path, monkeypatch: Any, tmp_path: Path) -> None:
    copy = tmp_path / "keys.json"
    copy.write_bytes(keys_file.read_bytes())
    monkeypatch.setenv("YIBAO_KEYS_FILE", str(copy))
    assert yibao("keys")[0] == 0  # the ring of whoever reports misuse was missing
    assert yibao("keys")[0] == 1
    before = load_keys(copy)
    apart = load_keys(tmp_path / "reporters.json")
    status, said, _ = yibao("keys", "--rotate")
    assert set(apart.masters) < set(load_keys(tmp_path / "reporters.json").masters)
    after = load_keys(copy)
    assert status == 0
    assert after.master_id in said
    assert after.signer_id in said
    assert set(before.signers) < set(after.signers)


def test_policy_documents_are_drafted_published_found_and_withdrawn(
    world: World, yibao: Any, tmp_path: Path
) -> None:
    file = tmp_path / "document.yaml"
    file.write_text(
        "code: T-9\nkind: NOTICE\nregion: '510100'\ntitle: 独角兽通知\nissuer: 样例局\nnumber: ''\n"
        "published_on: null\neffective_from: '2026-01-01'\nsummary: 样例\nbody: 样例\n",
        encoding="utf-8",
    )
    assert yibao("document", "publish", "T-9")[0] == 1
    assert yibao("document", "draft", str(file))[0] == 0
    assert yibao("document", "find", "独角兽")[1] == ""
    assert "PUBLISHED" in yibao("document", "publish", "T-9")[1]
    assert "T-9" in yibao("document", "find", "独角兽")[1]
    assert yibao("document", "withdraw", "T-9")[0] == 0
    assert yibao("document", "find", "独角兽")[1] == ""
    assert yibao("document", "draft", str(tmp_path / "no.yaml"))[0] == 1
    assert yibao("document", "load")[0] == 0  # what is there already stays as it is
    assert "institutions" in yibao("reindex")[1]


def test_the_tax_authority_s_file_is_booked_once(world: World, yibao: Any, tmp_path: Path) -> None:
    registered(world)
    [bill] = bills(world)
    file = tmp_path / "paid.csv"
    head = "bill_number,amount_fen,paid_on,receipt"
    file.write_text(f"{head}\n{bill.bill_number},52000,2026-06-15,SH1\nJF1,1,2026-06-15,SH2\n")
    code, out, err = yibao("contributions", str(file))
    assert (code, out.strip()) == (1, "1 BOOKED, 1 UNKNOWN_BILL")
    assert "line 3: JF1: UNKNOWN_BILL" in err
    file.write_text(f"{head}\n{bill.bill_number},52000,2026-06-15,SH1\n")
    assert yibao("contributions", str(file))[:2] == (0, "1 BOOKED_BEFORE")
    file.write_text(f"{head}\nJF1,much,2026-06-15,SH2\n")
    assert "line 2 cannot be read" in yibao("contributions", str(file))[2]
    file.write_text("number\n1\n")
    assert "the columns are not" in yibao("contributions", str(file))[2]
