"""What every worker does in the background, as one table of jobs, and the runner that keeps them going.

Jobs of one lane run one after another; lanes run beside each other. However many workers there are, each job
does each thing once, or harmlessly again. A job that fails is tried again later and keeps no other from its turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from anyio import CapacityLimiter, to_thread

from backend.applications.outages import notify_outages
from backend.appointments.keeping import advance_appointments
from backend.codes.identities import tidy_up as tidy_codes
from backend.coordination.service import advance_tickets
from backend.credit.handling import notify_debtors
from backend.filings.contracts import UploadAnswered, UploadDue
from backend.filings.service import notify_filing_ends
from backend.filings.uploads import upload_due
from backend.identity.face_checks import tidy_up as tidy_faces
from backend.identity.service import tidy_up as tidy_identity
from backend.infra.database import Database, Unit
from backend.infra.housekeeping import tidy_up
from backend.infra.outbox import Channel, Delivery, deliver_due
from backend.infra.queue import Ending
from backend.infra.settings import Settings
from backend.matters.service import expire_matters
from backend.notices.service import take_another_way
from backend.notices.service import tidy_up as tidy_notices
from backend.orders.agreeing import agree_due
from backend.orders.driving import Channels, drive_due
from backend.orders.reconciling import reconcile_due
from backend.prescriptions.dispensing import advance_prescriptions
from backend.ratings.service import close_ratings
from backend.reports.handling import take_in
from backend.reports.service import expire_rewards
from backend.reports.telling import notify_reporters
from backend.sharing.service import expire_transfers
from backend.supervision.service import examine_due, examine_left
from mobile_bff.couriers import courier_of
from mobile_bff.national_platform import FilingUpload

SECOND, HALF_MINUTE, MINUTE, HALF_HOUR, HOUR = 1.0, 30.0, 60.0, 1800.0, 3600.0
_AT_ONCE = 0.2
_HOURLY = "hourly"
_RETRY_MAX = 300.0
_log = logging.getLogger("yibao.jobs")

Work = Callable[[Database, Ending], int]
"""Does what is due and returns how much it was. Ends after the item in hand when the server ends."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something that is done over and over: again at once while there is work, else ``every`` seconds.

    ``lane``: jobs of one lane run one after another; empty: a lane of its own.
    """

    name: str
    every: float
    work: Work
    lane: str = ""


@dataclass(frozen=True)
class Outside:
    """What jobs hand things to: gateways by their channel, the national platform, and channels of cash."""

    couriers: Mapping[Channel, Callable[[Delivery], None]]
    upload: Callable[[UploadDue], UploadAnswered]
    channels: Channels


def outside_of(settings: Settings, channels: Channels) -> Outside:
    """Return the gateways and the platform that the settings name."""
    outside = (one for one in Channel if one is not Channel.LIVE)
    return Outside(
        {one: courier_of(settings, one) for one in outside},
        FilingUpload(settings.national_platform_url, settings.national_platform_secret),
        channels,
    )


def jobs_of(outside: Outside) -> list[Job]:
    """Return every job of a worker."""
    notify = partial(_notify_reporters, courier=outside.couriers[Channel.SMS])
    return [
        *(_delivering(channel, courier) for channel, courier in outside.couriers.items()),
        Job(name="expire_transfers", every=HALF_MINUTE, work=expire_transfers),
        Job(
            name="upload_filings",
            every=SECOND,
            work=lambda db, ending: upload_due(db, outside.upload, ending),
        ),
        *(_of_channels(outside.channels) if outside.channels else ()),
        Job(name="advance_appointments", every=SECOND, work=advance_appointments, lane="keeping"),
        Job(name="advance_prescriptions", every=SECOND, work=advance_prescriptions, lane="keeping"),
        Job(name="examine_settlements", every=2 * SECOND, work=examine_due),
        Job(name="notify_reporters", every=MINUTE, work=notify),
        *_hourly(),
    ]


def _delivering(channel: Channel, courier: Callable[[Delivery], None]) -> Job:
    """Return the job that delivers on a channel; a push or a call that is given up becomes a message."""
    give_up = None if channel is Channel.SMS else take_another_way
    return Job(
        name=f"deliver_{channel.lower()}",
        every=_AT_ONCE,
        work=lambda db, ending: deliver_due(db, channel, courier, give_up, ending),
    )


def _of_channels(channels: Channels) -> list[Job]:
    """Return the jobs that speak to the channels that collect cash."""
    return [
        Job(
            name="drive_orders",
            every=_AT_ONCE,
            work=lambda db, ending: drive_due(db, channels, ending),
        ),
        Job(
            name="advance_agreements",
            every=_AT_ONCE,
            work=lambda db, ending: agree_due(db, channels, ending),
        ),
        Job(
            name="reconcile_days",
            every=HALF_HOUR,
            work=lambda db, ending: len(reconcile_due(db, channels, ending)),
        ),
    ]


def _hourly() -> list[Job]:
    """Return what is done once an hour, in this order, by every worker."""
    works: dict[str, Work] = {
        "tidy_infrastructure": _in_one(tidy_up),
        "tidy_identity": _in_one(tidy_identity),
        "tidy_codes": _in_one(tidy_codes),
        "tidy_notices": _in_one(tidy_notices),
        "tidy_faces": _in_one(tidy_faces),
        "expire_matters": expire_matters,
        "advance_tickets": advance_tickets,
        "close_ratings": close_ratings,
        "take_in_reports": _in_one(take_in),
        "expire_rewards": expire_rewards,
        "notify_debtors": notify_debtors,
        "examine_left": examine_left,
        "notify_filing_ends": notify_filing_ends,
        "notify_outages": notify_outages,
    }
    return [Job(name=name, every=HOUR, work=work, lane=_HOURLY) for name, work in works.items()]


def _in_one(work: Callable[[Unit], int]) -> Work:
    """Return work that is done in one transaction, and not again before its time."""

    def run(database: Database, _ending: Ending) -> int:
        database.write(work)
        return 0

    return run


def _notify_reporters(
    database: Database, ending: Ending, courier: Callable[[Delivery], None]
) -> int:
    """Notify reporters, and return 0: the next time is in a minute, and not at once."""
    notify_reporters(database, courier, ending)
    return 0


# -- running ---------------------------------------------------------------------------------------


def pause_after(job: Job, *, failures: int, worked: bool) -> float:
    """Return the seconds before a job runs again, after so many failures in a row."""
    if failures:
        longest = max(HALF_MINUTE, min(job.every, _RETRY_MAX))
        return min(2.0 ** min(failures, 16), longest)
    return 0.0 if worked else job.every


class Workers:
    """Runs a table of jobs until they are ended.

    Ending waits for the item in hand: its transaction is finished, and what was sent is noted.
    """

    def __init__(self, database: Database, jobs: Sequence[Job]) -> None:
        self._database = database
        self._lanes: dict[str, list[Job]] = {}
        for job in jobs:
            self._lanes.setdefault(job.lane or job.name, []).append(job)
        self._ending = asyncio.Event()
        self._threads = CapacityLimiter(max(1, len(self._lanes)))  # requests have their own
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start every lane."""
        self._tasks = [asyncio.create_task(self._run(lane)) for lane in self._lanes.values()]

    async def end(self) -> None:
        """Let every lane end after the item in hand, and wait for it."""
        self._ending.set()
        await asyncio.gather(*self._tasks)

    async def _run(self, lane: Sequence[Job]) -> None:
        loop = asyncio.get_running_loop()
        failures = [0] * len(lane)
        due = [loop.time()] * len(lane)
        while not self._ending.is_set():
            for place, job in enumerate(lane):
                if due[place] > loop.time() or self._ending.is_set():
                    continue
                worked = await self._run_once(job)
                failures[place] = failures[place] + 1 if worked is None else 0
                pause = pause_after(job, failures=failures[place], worked=bool(worked))
                due[place] = loop.time() + pause
            await self._sleep(min(due) - loop.time())

    async def _run_once(self, job: Job) -> int | None:
        """Run a job and return how much it did; ``None`` where it failed, which is logged."""
        try:
            work = partial(job.work, self._database, self._ending.is_set)
            return await to_thread.run_sync(work, limiter=self._threads)
        except Exception:
            _log.exception("job %s failed; it is tried again", job.name)
            return None

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not longer than until the jobs are ended."""
        waiting: Awaitable[bool] = self._ending.wait()
        try:
            await asyncio.wait_for(waiting, max(seconds, 0))
        except TimeoutError:
            return
