"""Many days in which everybody uses everything, and everything goes wrong; then the books of both sides.

What happens in ``many_days`` happens here too, and beside it: agreements and credit, one scan at the till,
parts that come back, seats that are booked, paid, missed and stopped, prescriptions, shares and wallets, debts,
ratings, complaints, reports with their rewards, alerts, and institutions that compare their days. A refusal
is an answer; an exception is not. Whoever looks after things dies in the middle of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from backend.applications import service as applications
from backend.appointments import service as seats
from backend.appointments.contracts import AppointmentEvent, AppointmentState
from backend.appointments.keeping import advance_appointments
from backend.codes.contracts import Purpose
from backend.credit.contracts import PayLaterState
from backend.credit.handling import notify_debtors
from backend.kernel.calendar import local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.matters.contracts import Requirement, SubmitApplication
from backend.orders import agreeing, agreements, refunds
from backend.orders.agreement_contracts import (
    AgreedState,
    AgreementState,
    AgreementView,
    CreditStanding,
    EndAgreement,
    RepayCredit,
)
from backend.orders.contracts import STANDS, ChannelName, OrderView
from backend.orders.refund_contracts import RefundRequestState, RefundView
from backend.payments.contracts import BillView
from backend.people.contracts import InsuranceType
from backend.prescriptions.contracts import PrescriptionView
from backend.prescriptions.dispensing import advance_prescriptions
from backend.reports import handling
from backend.reports.contracts import ReportEvent, ReportReceipt
from backend.settlement import queries as settlements
from backend.sharing import queries as sharing
from backend.sharing.contracts import EndShare, TransferEvent, TransferView
from backend.sharing.service import end_share, expire_transfers
from backend.statements import queries as statements
from backend.supervision import service as supervision
from backend.supervision.contracts import AlertEvent
from tests.simulation.many_days import PEOPLE, History
from tests.usecases import test_agreements as collecting
from tests.usecases import test_appointments as booking
from tests.usecases import test_complaints as complaining
from tests.usecases import test_prescriptions as prescribing
from tests.usecases import test_ratings as rating
from tests.usecases import test_reports as reporting
from tests.usecases import test_sharing as family
from tests.usecases import test_statements as comparing
from tests.usecases.test_credit import look as debt_of
from tests.usecases.test_credit import owing_debt
from tests.usecases.test_credit import pays as pays_at_window
from tests.usecases.test_filings import add, picture
from tests.usecases.test_part_refunds import ask, grant, packs, part, take_back
from tests.usecases.test_stays import quiet
from tests.usecases.test_supervision import BEIJING, raised
from tests.usecases.test_supervision import work as inspect
from tests.world import EJIAO, IBUPROFEN, LEVEL_3, line

_CREDIT = CreditStanding(Fen(500_000), Fen(0), Fen(0))
_GIVERS = ("worker_2", "worker_3")
_VERDICTS = (AlertEvent.DISMISS, AlertEvent.FIND_VIOLATION, AlertEvent.HAND_BACK)


@dataclass
class Province(History):
    """One seed's history of a whole province."""

    signed: list[tuple[str, AgreementView]] = field(default_factory=list)
    prescriptions: list[PrescriptionView] = field(default_factory=list)
    booked: list[tuple[str, Any]] = field(default_factory=list)
    reports: list[ReportReceipt] = field(default_factory=list)
    clinics: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    debt: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.channels[ChannelName.CREDIT].credit = _CREDIT
        quiet(self.world)
        self.debt = owing_debt(self.world, PEOPLE[0])
        for key in PEOPLE:
            family.open_wallet(self.world, key)

    def more(self) -> tuple[Any, ...]:
        """Return what else happens in this history."""
        named = (
            *(self.agrees, self.pays_by_one_scan, self.pays_by_one_scan, self.ends_an_agreement),
            *(self.repays, self.takes_a_part_back, self.takes_a_part_back, self.publishes),
            *(self.books_a_seat, self.books_a_seat, self.pays_for_a_seat, self.keeps_a_seat),
            *(self.prescribes, self.dispenses, self.dispenses, self.shares, self.pays_a_debt),
            *(self.rates, self.complains, self.reports_somebody, self.relays, self.compares),
        )
        return tuple(partial(self._act, act) for act in named)

    def looks_after(self, dying: Any) -> None:
        """Do what the clock asks for."""
        agreeing.agree_due(dying, self.channels)
        advance_appointments(dying)
        advance_prescriptions(dying)
        notify_debtors(dying)
        supervision.examine_due(dying)
        expire_transfers(dying)
        dying.write(handling.take_in)

    # -- what happens ------------------------------------------------------------------------------

    def agrees(self) -> Any:
        key, name = (
            self.dice.choice(PEOPLE),
            self.dice.choice((ChannelName.WECHAT, ChannelName.CREDIT)),
        )
        made = collecting.ask(self.world, key, name, payment=30_000, day=60_000)
        if not isinstance(made, AgreementView):
            return made
        agreeing.look_after(self.world.database, self.channels, made.id)
        if self.dice.random() < 0.8 and made.number in self.channels[name].agreed:
            self.channels[name].agreed[made.number] = AgreedState.SIGNED
            self.signed.append((key, made))
        return made

    def ends_an_agreement(self) -> Any:
        if not self.signed or self.dice.random() < 0.6:
            return None
        key, one = self.signed.pop(self.dice.randrange(len(self.signed)))
        if self.dice.random() < 0.5:
            self.channels[one.channel].agreed[one.number] = AgreedState.ENDED
            return None
        return self.world.do(agreements.end, EndAgreement(self._proven(key), one.id))

    def repays(self) -> Any:
        credit = [(k, one) for k, one in self.signed if one.channel is ChannelName.CREDIT]
        if not credit:
            return None
        bank = self.channels[ChannelName.CREDIT]
        bank.credit = replace(_CREDIT, open_fen=Fen(self.dice.randrange(0, 5000)))
        bank.faults.setdefault("repay", []).append(
            self.dice.choice(("lost", "late", "refused", ""))
        )
        key, one = self.dice.choice(credit)
        return self.world.do(agreements.repay, RepayCredit(self._proven(key), one.id, self._key()))

    def pays_by_one_scan(self) -> Any:
        key = self.dice.choice(PEOPLE)
        scanned = self._scans(key)
        lines = (
            line(IBUPROFEN, "1", "60.00"),
            line(EJIAO, "2", f"{self.dice.randrange(1, 70)}.00"),
        )
        bill = None if scanned is None else self.world.presettle(scanned.token, *lines)
        if not isinstance(bill, BillView):
            return bill
        made = collecting.till_pays(self.world, bill.id)
        if isinstance(made, OrderView):
            self.orders.append(made.id)
            return made
        return self.world.settle(bill.id)  # the clerk takes the cash

    def takes_a_part_back(self) -> Any:
        standing = [one for one in self.views() if one.settlement_id and one.state in STANDS]
        if not standing:
            return None
        of = self.dice.choice(standing).settlement_id or ""
        case = self.world.database.read(lambda u: settlements.case_of_settlement(u, of))
        number = self.dice.choice(case.lines).number
        come_back = packs(self.world, of, number)[:1]
        if self.dice.random() < 0.5:
            return take_back(self.world, of, part(number), packs=come_back)
        key = self._key_of_settlement(of)
        asked = ask(self.world, of, part(number), by=key)
        if not isinstance(asked, RefundView) or self.dice.random() < 0.2:
            return asked
        return grant(self.world, asked, *come_back)

    def publishes(self) -> Any:
        day = local_day(self.world.clock.now()) + timedelta(days=self.dice.randrange(1, 6))
        booking.rules(self.world, pay_first=self.dice.random() < 0.7)
        number = f"X{len(self.clinics)}"
        made = booking.publish(self.world, replace(booking.PLAN, number=number, day=day))
        if isinstance(made, Refusal):
            return made
        self.clinics.append(made.clinics[0].id)
        if self.dice.random() < 0.1:
            return booking.stop(self.world, number)
        return made

    def books_a_seat(self) -> Any:
        if self.dice.random() < 0.4 or not self.clinics:
            made = self.publishes()
            if isinstance(made, Refusal):
                return made
        key, clinic = self.dice.choice(PEOPLE), self.dice.choice(self.clinics[-2:])
        made = booking.book(self.world, clinic, key)
        if isinstance(made, Refusal):
            return booking.join(self.world, clinic, key)
        self.booked.append((key, made))
        return self.pays_for_a_seat() if self.dice.random() < 0.7 else made

    def pays_for_a_seat(self) -> Any:
        held = [(k, one) for k, one in self.booked if self._seat(one) is AppointmentState.HELD]
        if not held:
            return None
        key, one = held[-1]
        bill = booking.bill_of(self.world, one, key)
        if not isinstance(bill, BillView):
            return bill
        made = booking.pay(self.world, key, bill_id=bill.id)
        if isinstance(made, OrderView):
            self.orders.append(made.id)
        return made

    def keeps_a_seat(self) -> Any:
        if not self.booked:
            return None
        key, one = self.dice.choice(self.booked[-3:])
        roll = self.dice.random()
        if roll < 0.4:
            return booking.change(self.world, seats.cancel, one, key)
        return booking.receive(self.world, one, AppointmentEvent.ARRIVE)

    def prescribes(self) -> Any:
        key = self.dice.choice(PEOPLE)
        scanned = self._scans(key, LEVEL_3, Purpose.OUTPATIENT_SETTLEMENT)
        if scanned is None:
            return None
        made = prescribing.sign(self.world, key, token=scanned.token)
        if isinstance(made, PrescriptionView):
            self.prescriptions.append(made)
        return made

    def dispenses(self) -> Any:
        if not self.prescriptions:
            return self.prescribes()
        world, one = self.world, self.dice.choice(self.prescriptions[-6:])
        key = next(k for k in PEOPLE if world.person(k) == one.person.id)
        now = prescribing.look(world, one)
        steps = {
            "SIGNED": lambda: prescribing.decide(world, one, key),
            "VALID": lambda: prescribing.take(world, one),
            "LOCKED": lambda: prescribing.check(world, one, self.dice.random() < 0.9, "剂量过大"),
            "AUDITED": lambda: self._buys_prescribed(now, key),
            "SETTLED": lambda: prescribing.hand(world, one),
        }
        if self.dice.random() < 0.1:
            return prescribing.void(world, one)
        step = steps.get(now.state.value)
        done = None if step is None else step()
        goes_on = done is not None and not isinstance(done, Refusal)
        return self.dispenses() if goes_on and self.dice.random() < 0.7 else done

    def shares(self) -> Any:
        giver, user = self.dice.choice(_GIVERS), self.dice.choice(PEOPLE[2:])
        roll = self.dice.random()
        if roll < 0.4:
            return family.give(self.world, giver, user)
        if roll < 0.6:
            given = self.world.database.read(
                lambda u: sharing.shares_of(u, self.world.person(giver))
            )
            if not given:
                return None
            command = EndShare(self.world.actor(giver), self.dice.choice(given).id)
            return self.world.do(end_share, command)
        sent = family.send(self.world, giver, user, self.dice.randrange(100, 3000))
        if isinstance(sent, TransferView) and self.dice.random() < 0.6:
            event = self.dice.choice((TransferEvent.RECEIVE, TransferEvent.DECLINE))
            return family.decide(self.world, user, sent, event)
        return sent

    def pays_a_debt(self) -> Any:
        if self.dice.random() < 0.3:
            return pays_at_window(self.world, self.debt, self.dice.randrange(1, 20_000))
        made = collecting.pay_debt(self.world, self.debt, by=PEOPLE[0])
        if isinstance(made, OrderView):
            self.orders.append(made.id)
        return made

    def rates(self) -> Any:
        standing = [one for one in self.views() if one.settlement_id and one.state in STANDS]
        if not standing:
            return None
        order = self.dice.choice(standing)
        grade, key = self.dice.randrange(1, 6), self._key_of(order)
        bad = (rating.R.WAITING,) if grade < 3 else ()
        made = rating.rate(self.world, grade, *bad, who=key, settled=order.settlement_id)
        if grade < 3 and not isinstance(made, Refusal):
            return rating.work(self.world, made, rating.E.ANSWER)
        return made

    def complains(self) -> Any:
        key = self.dice.choice(PEOPLE)
        happened = local_day(self.world.clock.now())
        made = complaining.save(self.world, replace(complaining.FORM, happened_on=happened), key)
        if isinstance(made, Refusal):
            return made
        add(self.world, made.matter.id, picture(), requirement=Requirement.EVIDENCE, by=key)
        command = SubmitApplication(self.world.actor(key), made.matter.id, False, self._key())
        return self.world.do(applications.submit, command)

    def reports_somebody(self) -> Any:
        roll = self.dice.random()
        if roll < 0.5 or not self.reports:
            made = reporting.lodge(self.world, self.dice.choice(PEOPLE))
            if isinstance(made, ReportReceipt):
                self.reports.append(made)
            return made
        one = self.dice.choice(self.reports)
        event = self.dice.choice((ReportEvent.OPEN, ReportEvent.DECLINE, ReportEvent.EXTEND))
        if roll < 0.7:
            return reporting.work(self.world, one, event)
        if roll < 0.9:
            reporting.work(self.world, one, ReportEvent.FIND, true=True, value_fen=Fen(900_000))
            return reporting.work(self.world, one, ReportEvent.CONFIRM_TRUE, "JG1002")
        return reporting.claim(self.world, one)

    def relays(self) -> Any:
        """Let a code be scanned in two cities within minutes; an inspector looks at what comes of it."""
        key, purpose = self.dice.choice(PEOPLE), Purpose.OUTPATIENT_SETTLEMENT
        if self._scans(key, BEIJING, purpose) is not None:
            self.world.clock.forward(minutes=5)
            scanned = self._scans(key)
            bill = scanned and self.world.presettle(scanned.token, line(IBUPROFEN, "1", "20.00"))
            if isinstance(bill, BillView) and self.dice.random() < 0.5:
                self.world.settle(bill.id)  # held: it is refused until somebody has looked
        found = raised(self.world)
        for one in found:
            inspect(self.world, one, AlertEvent.TAKE)
            last = inspect(self.world, one, self.dice.choice(_VERDICTS))
        return last if found else None

    def compares(self) -> Any:
        """Let a pharmacy compare yesterday, honestly or not."""
        yesterday = local_day(self.world.clock.now()) - timedelta(days=1)
        place = self.world.terminal().institution_id
        ours = self.world.database.read(
            lambda u: statements.statement(u, place, yesterday, InsuranceType.EMPLOYEE).ours
        )
        honest = self.dice.random() < 0.7
        stated = ours if honest else replace(ours, count=ours.count + 1)
        made = comparing.totals(self.world, yesterday, stated)
        assert isinstance(made, Refusal) or (made.state.value == "BALANCED") is honest
        return made

    # -- the books -----------------------------------------------------------------------------------

    def comes_to_rest(self) -> None:
        """Let what is asked for be decided as well, before time passes."""
        for channel in self.channels.values():
            channel.faults = {}
        self._fresh()
        super().comes_to_rest()
        self.world._staff.clear()

    def faults(self) -> list[str]:
        """Return what is not at rest in any module, beside what the payments' books say."""
        world, found = self.world, super().faults()
        found += [str(one) for one in world.database.read(sharing.verify)]
        for _, one in self.signed:
            state = collecting.again(world, one).state
            if state not in (AgreementState.SIGNED, AgreementState.ENDED):
                found.append(f"agreement {one.number} is {state}")
            if world.database.read(lambda u, of=one.id: agreements.open_repayments(u, of)):
                found.append(f"a repayment of {one.number} came to no end")
        found += [
            f"seat {one.id} is still held"
            for _, one in self.booked
            if self._seat(one) is AppointmentState.HELD
        ]
        for prescription in self.prescriptions:
            now = prescribing.look(world, prescription).state.value
            if now in ("SIGNED", "VALID", "LOCKED", "AUDITED"):
                found.append(f"prescription {prescription.number} is {now}")
        found += self._debts_that_differ() + self._charged_twice() + self._told_wrong()
        return found

    def _debts_that_differ(self) -> list[str]:
        debt = debt_of(self.world, self.debt)
        settled = debt.state is PayLaterState.PAID
        owed = self.world.database.read(
            lambda u: ledger.sum_of(u, accounts.owed(debt.institution_id))
        )
        right = -owed == debt.open_fen and settled == (debt.open_fen == 0)
        return [] if right else [f"{debt.open_fen} fen are owed, the ledger says {-owed}"]

    def _charged_twice(self) -> list[str]:
        bills = [one.bill_id for one in self.views() if one.state in STANDS and not one.debt_id]
        return [f"bill {one} was charged twice" for one in {*bills} if bills.count(one) > 1]

    def _told_wrong(self) -> list[str]:
        """Return refunds that were granted without the settlement being taken back."""
        found = []
        for key in PEOPLE:
            person = self.world.person(key)
            for one in self.world.database.read(
                lambda u, of=person: refunds.of_person(u, of, 500)  # type: ignore[misc]
            ):
                granted = one.state is RefundRequestState.GRANTED
                if granted and one.reversal_id is None:
                    found.append(f"refund {one.id} is granted, and nothing was taken back")
        return found

    # -- small things --------------------------------------------------------------------------------

    def _act(self, act: Any) -> None:
        self._fresh()
        outcome = act()
        name = type(outcome).__name__ if isinstance(outcome, Refusal) else "done"
        counted = f"{act.__name__}: {name if outcome is not None else 'nothing to do'}"
        self.answers[counted] = self.answers.get(counted, 0) + 1

    def _buys_prescribed(self, now: PrescriptionView, key: str) -> Any:
        charge = prescribing.fill(self.world, now) if now.charge_id is None else now
        if isinstance(charge, Refusal):
            return charge
        bill = booking.bill_of(self.world, prescribing.look(self.world, now), key)
        return self.world.settle(bill.id) if isinstance(bill, BillView) else bill

    def _seat(self, one: Any) -> AppointmentState:
        return booking.look(self.world, one).state

    def _proven(self, key: str) -> Any:
        self.world.prove(key, collecting.Proof.DESK)
        return self.world.actor(key)

    def _key_of_settlement(self, settlement_id: str) -> str:
        settled = self._settlement(settlement_id)
        assert settled is not None
        return next(k for k in PEOPLE if self.world.person(k) == settled.person_id)

    def _key(self) -> str:
        return f"{self.dice.getrandbits(128):032x}"
