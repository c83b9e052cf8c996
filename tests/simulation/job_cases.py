"""For each job of the table: how something becomes due for it, and what it does, exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from backend.appointments.clinic_contracts import SeatBlock
from backend.codes.model import SignedCode
from backend.filings.contracts import UploadAnswered, UploadDue
from backend.identity.face_contracts import FaceState
from backend.identity.model import FaceCheck, PasskeyChallenge
from backend.infra import outbox
from backend.infra.database import Unit
from backend.infra.outbox import Channel, Delivery
from backend.orders.contracts import ChannelName
from backend.policies.contracts import AnnounceOutage, Service
from backend.policies.service import announce_outage
from backend.ratings.contracts import RatingEvent, RatingReason
from mobile_bff.workers import Outside
from tests.scripted_channel import ScriptedChannel
from tests.usecases import (
    test_agreements,
    test_appointments,
    test_filings,
    test_orders,
    test_prescriptions,
    test_ratings,
    test_reconciling,
    test_reports,
    test_sharing,
    test_stays,
    test_tickets,
)
from tests.usecases.test_policies import OPERATOR
from tests.world import IBUPROFEN, World, line

PAIR = ("worker", "worker_2")
_CHANGES = ("ask", "close", "give_back", "agree", "end_agreement", "repay")
"""Calls of a channel that are no mere questions."""


@dataclass
class Stage:
    """What jobs speak to: scripted gateways that count what reaches them, under the ids of it.

    ``hook`` is called before each thing that reaches an outside party.
    """

    world: World
    channel: ScriptedChannel = field(init=False)
    sent: list[int] = field(default_factory=list)
    uploaded: list[str] = field(default_factory=list)
    hook: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.channel = HookedChannel(self.world.clock)
        self.channel.stage = self

    def courier(self, delivery: Delivery) -> None:
        self.hook()
        self.sent.append(delivery.id)

    def upload(self, due: UploadDue) -> UploadAnswered:
        self.hook()
        self.uploaded.append(due.filing_id)
        return UploadAnswered(due.filing_id, due.operation, True)

    @property
    def outside(self) -> Outside:
        ways = (Channel.SMS, Channel.VOICE, Channel.PUSH)
        couriers = dict.fromkeys(ways, self.courier)
        return Outside(couriers, self.upload, {ChannelName.WECHAT: self.channel})

    def calls(self) -> Counter[str]:
        """Return how often outside parties were called, and with how many different ids."""
        return Counter(
            {
                "sent": len(self.sent),
                "sent under": len(set(self.sent)),
                "uploaded": len(self.uploaded),
                "uploaded under": len(set(self.uploaded)),
                **{call: self.channel.calls.count(call) for call in _CHANGES},
            }
        )


class HookedChannel(ScriptedChannel):
    """A channel that lets a test stop the clock before it answers."""

    stage: Stage

    def _fault(self, call: str) -> str:
        self.stage.hook()
        return super()._fault(call)


# -- what makes something due ----------------------------------------------------------------------


def later(world: World, **amount: float) -> None:
    """Let time pass, with new sessions after it."""
    world.clock.forward(**amount)
    for sessions in (world._actors, world._terminals, world._staff):
        sessions.clear()


def _messages(channel: Channel) -> Callable[[Stage], None]:
    def due(stage: Stage) -> None:
        for topic in PAIR:
            stage.world.database.write(
                lambda u, t=topic: outbox.enqueue(
                    u, channel, t, "code", '{"to": "1", "by": "CALL"}'
                )
            )

    return due


def _transfers(stage: Stage) -> None:
    world = stage.world
    for key in ("retiree", "worker"):
        test_sharing.open_wallet(world, key)
    for amount in (20_000, 10_000):
        test_sharing.send(world, "retiree", "worker", amount)
    later(world, hours=20)


def _uploads(stage: Stage) -> None:
    for who in PAIR:
        saved = test_filings.save(stage.world, test_filings.JOURNEY, who)
        test_filings.submit(stage.world, saved, who)


def _orders(stage: Stage) -> None:
    for who in PAIR:
        test_orders.pay(stage.world, who)


def _agreements(stage: Stage) -> None:
    for who in PAIR:
        test_agreements.ask(stage.world, who)


def _days(stage: Stage) -> None:
    test_reconciling.settled(stage.world, stage.channel)
    test_reconciling.next_morning(stage.world, 2)
    stage.channel.calls.clear()


def _appointments(stage: Stage) -> None:
    blocks = (SeatBlock(test_appointments.time(8), test_appointments.time(9), 2),)
    shown = test_appointments.clinic(stage.world, blocks=blocks)
    for who in PAIR:
        test_appointments.book(stage.world, shown.id, who)
    later(stage.world, days=4)


def _prescriptions(stage: Stage) -> None:
    for who in PAIR:
        test_prescriptions.sign(stage.world, who)
    later(stage.world, days=30)


def _settlements(stage: Stage) -> None:
    for who in PAIR:
        stage.world.buy(who, line(IBUPROFEN, "1", "12.00"))


def _old_settlements(stage: Stage) -> None:
    _settlements(stage)
    later(stage.world, hours=13)


def _reports(stage: Stage) -> None:
    for who in PAIR:
        test_reports.proven(stage.world, test_reports.taken_in(stage.world, who))


def _lodged(stage: Stage) -> None:
    for who in PAIR:
        test_reports.lodge(stage.world, who)


def _rewards(stage: Stage) -> None:
    _reports(stage)
    later(stage.world, days=62)


def _served(stage: Stage) -> None:
    world = stage.world
    world.buy("worker", line(IBUPROFEN, "1", "12.00"))
    later(world, days=1, seconds=1)


def _added(*rows: Callable[[World, Unit], Any], **passes: float) -> Callable[[Stage], None]:
    def due(stage: Stage) -> None:
        world = stage.world
        for row in rows:
            stage.world.database.write(lambda u, r=row: u.db.add(r(world, u)))
        later(world, **passes)

    return due


def _challenge(_world: World, unit: Unit) -> PasskeyChallenge:
    return PasskeyChallenge(id=unit.new_id(), purpose="SIGN_IN", challenge="c", expires_at=unit.now)


def _code(world: World, unit: Unit) -> SignedCode:
    return SignedCode(
        serial=unit.new_id(),
        person_id=world.person("worker"),
        issued_at=unit.now,
        expires_at=unit.now,
    )


def _check(world: World, unit: Unit) -> FaceCheck:
    return FaceCheck(
        id=unit.new_id(),
        person_id=world.person("worker"),
        purpose="ENROL",
        holder="h",
        about="",
        actions=[],
        state=FaceState.STARTED,
        started_at=unit.now,
        expires_at=unit.now,
    )


def _old_notices(stage: Stage) -> None:
    for who in PAIR:
        test_filings.effective(stage.world, test_filings.JOURNEY, who)
    later(stage.world, days=stage.world.settings.notice_days + 1)


def _drafts(stage: Stage) -> None:
    for who in PAIR:
        test_filings.save(stage.world, test_filings.JOURNEY, who)
    later(stage.world, days=16)


def _tickets(stage: Stage) -> None:
    test_tickets.opened(stage.world, "worker")
    test_tickets.answered(stage.world, "worker_2")
    later(stage.world, days=30)


def _ratings(stage: Stage) -> None:
    for who in PAIR:
        rating = test_ratings.rate(stage.world, 1, RatingReason.WAITING, who=who)
        test_ratings.work(stage.world, rating, RatingEvent.ANSWER)
    later(stage.world, days=40)


def _debts(stage: Stage) -> None:
    agreement, _ = test_stays._owing(stage.world)
    days = (agreement.instalments[0].due_on - stage.world.clock.now().date()).days
    later(stage.world, days=days - 3)


def _ends(stage: Stage) -> None:
    for who in PAIR:
        test_filings.effective(stage.world, test_filings.JOURNEY, who)
    world = stage.world
    found = world.database.read(
        lambda u: test_filings.queries.of_enrolments(u, [world.enrolment("worker")], 1)
    )
    ends = found[0].ends
    assert ends is not None
    later(world, days=(ends - test_filings.TODAY).days - 14)


def _outage(stage: Stage) -> None:
    world = stage.world
    for key in ("resident", "worker"):
        world.admit(key)
    starts = world.clock.now() + timedelta(hours=23)
    services = (Service.INPATIENT_SETTLEMENT,)
    ends = starts + timedelta(hours=5)
    world.do(
        announce_outage,
        AnnounceOutage(OPERATOR, "510100", services, starts, ends, "升级", "请先垫付"),
    )


@dataclass(frozen=True)
class Case:
    """How something becomes due for a job, and what the job does with it, all of it once."""

    due: Callable[[Stage], None]
    effects: dict[str, int]
    outside: bool = False
    """It speaks to an outside party between its transactions."""
    alone: bool = False
    """All of it is one item, one transaction, or waits for what is before it."""


CASES: dict[str, Case] = {
    "deliver_sms": Case(
        _messages(Channel.SMS),
        {
            "sent": 2,
            "sent under": 2,
            "undelivered SMS": -2,
        },
        outside=True,
    ),
    "deliver_voice": Case(
        _messages(Channel.VOICE),
        {
            "sent": 2,
            "sent under": 2,
            "undelivered VOICE": -2,
        },
        outside=True,
    ),
    "deliver_push": Case(
        _messages(Channel.PUSH),
        {
            "sent": 2,
            "sent under": 2,
            "undelivered PUSH": -2,
        },
        outside=True,
    ),
    "expire_transfers": Case(
        _transfers,
        {
            "audit wallet.lapse": 2,
            "ledger TRANSFER": 2,
            "notice transfer_returned": 4,
            "outbox LIVE NOTICE": 4,
            "outbox SMS transfer_returned": 4,
            "undelivered SMS": 4,
        },
    ),
    "upload_filings": Case(
        _uploads,
        {
            "audit filing.effective": 2,
            "audit matter.take_effect": 2,
            "filing APPROVED": -2,
            "filing EFFECTIVE": 2,
            "notice matter_take_effect": 2,
            "outbox LIVE NOTICE": 2,
            "outbox SMS matter_take_effect": 2,
            "undelivered SMS": 2,
            "uploaded": 2,
            "uploaded under": 2,
        },
        outside=True,
    ),
    "drive_orders": Case(
        _orders,
        {
            "ask": 2,
            "audit order.ask": 2,
            "outbox LIVE ORDER_CHANGED": 4,
        },
        outside=True,
    ),
    "advance_agreements": Case(
        _agreements,
        {
            "agree": 2,
        },
        outside=True,
    ),
    "reconcile_days": Case(
        _days,
        {
            "audit cash.reconcile": 2,
            "rows reconciled_day": 2,
        },
        outside=True,
        alone=True,  # days of one channel are compared in their order
    ),
    "advance_appointments": Case(
        _appointments,
        {
            "audit appointment.miss": 2,
            "notice appointment_missed": 2,
            "outbox LIVE APPOINTMENT_CHANGED": 2,
            "outbox LIVE NOTICE": 2,
            "outbox SMS appointment_missed": 2,
            "undelivered SMS": 2,
        },
    ),
    "advance_prescriptions": Case(
        _prescriptions,
        {
            "audit prescription.expire": 2,
            "notice prescription_expired": 2,
            "outbox LIVE NOTICE": 2,
            "outbox LIVE PRESCRIPTION_CHANGED": 2,
            "outbox SMS prescription_expired": 2,
            "undelivered SMS": 2,
        },
    ),
    "examine_settlements": Case(
        _settlements,
        {
            "rows supervision_examined": 2,
        },
    ),
    "notify_reporters": Case(
        _reports,
        {
            "mark report": -2,
            "sent": 2,
            "sent under": 2,
        },
        outside=True,
    ),
    "tidy_infrastructure": Case(
        _served,
        {
            "outbox LIVE BILL_PRESENTED": -2,
            "outbox LIVE BILL_SETTLED": -1,  # the newest row stays, so that no id comes again
            "outbox LIVE NOTICE": -1,
        },
        alone=True,
    ),
    "tidy_identity": Case(
        _added(_challenge, _challenge, hours=1),
        {
            "rows passkey_challenge": -2,
        },
        alone=True,
    ),
    "tidy_codes": Case(
        _added(_code, _code, hours=1),
        {
            "rows signed_code": -2,
        },
        alone=True,
    ),
    "tidy_notices": Case(
        _old_notices,
        {
            "notice matter_approve_at_once": -2,
            "notice matter_take_effect": -2,
        },
        alone=True,
    ),
    "tidy_faces": Case(
        _added(_check, _check, days=400),
        {
            "rows face_check": -2,
        },
        alone=True,
    ),
    "expire_matters": Case(
        _drafts,
        {
            "audit matter.lapse": 2,
            "notice matter_lapse": 2,
            "outbox LIVE NOTICE": 2,
            "outbox SMS matter_lapse": 2,
            "undelivered SMS": 2,
        },
    ),
    "advance_tickets": Case(
        _tickets,
        {
            "audit ticket.escalate": 1,
            "audit ticket.expire": 1,
            "notice ticket_escalate": 1,
            "outbox LIVE NOTICE": 1,
            "outbox SMS ticket_escalate": 1,
            "undelivered SMS": 1,
        },
    ),
    "close_ratings": Case(
        _ratings,
        {
            "audit rating.expire": 2,
        },
    ),
    "take_in_reports": Case(
        _lodged,
        {
            "audit report.take_in": 2,
        },
        alone=True,
    ),
    "expire_rewards": Case(
        _rewards,
        {
            "reward EXPIRED": 2,
            "reward OFFERED": -2,
        },
    ),
    "notify_debtors": Case(
        _debts,
        {
            "notice instalment_due": 1,
            "outbox LIVE NOTICE": 1,
            "outbox SMS instalment_due": 1,
            "undelivered SMS": 1,
        },
        alone=True,
    ),
    "examine_left": Case(
        _old_settlements,
        {
            "rows supervision_examined": 2,
        },
    ),
    "notify_filing_ends": Case(
        _ends,
        {
            "notice filing_ends": 2,
            "outbox LIVE NOTICE": 2,
            "outbox SMS filing_ends": 2,
            "undelivered SMS": 2,
        },
    ),
    "notify_outages": Case(
        _outage,
        {
            "notice outage_ahead": 2,
            "outbox LIVE NOTICE": 2,
            "outbox SMS outage_ahead": 2,
            "rows outage_notice": 2,
            "undelivered SMS": 2,
        },
    ),
}

_COUNTS = {
    "audit": "SELECT action, count(*) FROM audit_line GROUP BY action",
    "notice": "SELECT kind, count(*) FROM notice GROUP BY kind",
    "outbox": "SELECT channel || ' ' || kind, count(*) FROM outbox_message GROUP BY 1",
    "undelivered": (
        "SELECT channel, count(*) FROM outbox_message "
        "WHERE delivered_at IS NULL AND channel <> 'LIVE' GROUP BY channel"
    ),
    "ledger": "SELECT kind, count(*) FROM ledger_entry GROUP BY kind",
    "filing": "SELECT state, count(*) FROM filing GROUP BY state",
    "reward": "SELECT reward, count(*) FROM report GROUP BY reward",
    "mark": "SELECT 'report', count(*) FROM report WHERE notice_due",
    "rows": " UNION ALL ".join(
        f"SELECT '{name}', count(*) FROM {name}"
        for name in (
            *("passkey_challenge", "signed_code", "face_check", "rate_window", "used_nonce"),
            *("supervision_examined", "reconciled_day", "cash_difference", "outage_notice"),
        )
    ),
}


def counts(stage: Stage) -> Counter[str]:
    """Return how much there is of all that a job could do twice."""

    def read(unit: Unit) -> Counter[str]:
        connection = unit.db.connection()
        return Counter(
            {
                f"{what} {name}": number
                for what, query in _COUNTS.items()
                for name, number in connection.execute(text(query)).all()
            }
        )

    return stage.world.database.read(read) + stage.calls()


def effects(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """Return what became more, or less."""
    names = sorted({*before, *after})
    return {one: after[one] - before[one] for one in names if after[one] != before[one]}
