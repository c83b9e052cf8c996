"""What every worker does in the background: carries messages, gives back transfers, and tidies up."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from anyio import to_thread

from backend.applications.outages import tell_of_outages
from backend.appointments.keeping import keep_appointments
from backend.codes.identities import tidy_up as tidy_codes
from backend.coordination.service import move_on
from backend.credit.handling import follow_up, to_follow_up
from backend.filings import uploads
from backend.filings.contracts import UploadAnswered, UploadDue
from backend.filings.service import tell_of_ends
from backend.identity.face_checks import tidy_up as tidy_faces
from backend.identity.service import tidy_up as tidy_identity
from backend.infra.database import Database
from backend.infra.housekeeping import tidy_up
from backend.infra.outbox import (
    Channel,
    Delivery,
    DeliveryFailed,
    DeliveryRefused,
    deliver_due,
)
from backend.infra.settings import Settings
from backend.matters.service import lapse_forgotten
from backend.notices.service import take_another_way
from backend.notices.service import tidy_up as tidy_notices
from backend.orders.agreeing import agree_due
from backend.orders.driving import Channels, drive_due
from backend.orders.reconciling import reconcile_due
from backend.prescriptions.dispensing import keep_prescriptions
from backend.ratings.service import close_silent
from backend.reports import telling
from backend.reports.handling import take_in
from backend.reports.service import expire_rewards
from backend.sharing.service import return_unreceived
from backend.supervision.service import examine_due, examine_left
from mobile_bff.national_platform import FilingUpload
from mobile_bff.outside import answered_in_time
from mobile_bff.signing import signature_of

if TYPE_CHECKING:
    from httpx import Client

_IDLE_SECONDS = 0.2
_RETURN_SECONDS = 30
_UPLOAD_SECONDS = 1
_KEEP_SECONDS = 1
_EXAMINE_SECONDS = 2
_TELL_SECONDS = 60
_TIDY_SECONDS = 3600
_RECONCILE_SECONDS = 1800
_log = logging.getLogger("yibao.couriers")


class GatewayCourier:
    """Speaks to a gateway of messages, calls or pushes: JSON over HTTP, the body signed with HMAC-SHA256."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret.encode()

    @cached_property
    def _client(self) -> Client:
        """Return the client, made with the first delivery: a worker that has none yet needs none."""
        import httpx

        return httpx.Client(timeout=5, trust_env=False)

    def __call__(self, delivery: Delivery) -> None:
        """Hand a message over, or raise ``DeliveryFailed``, or ``DeliveryRefused`` where nobody is there.

        A repeated id is dropped there.
        """
        import httpx

        message = json.loads(delivery.payload)
        body = json.dumps(
            {"id": delivery.id, "template": delivery.kind, **message},
            ensure_ascii=False,
        ).encode()
        signature = signature_of(self._secret, body)
        headers = {"content-type": "application/json", "x-signature": signature}
        try:
            answer = answered_in_time(
                lambda: self._client.post(self._url, content=body, headers=headers)
            )
        except httpx.HTTPError as error:
            raise DeliveryFailed(type(error).__name__) from error
        if answer.status_code == httpx.codes.GONE:
            raise DeliveryRefused("nobody is there any more")
        if answer.status_code != httpx.codes.ACCEPTED:
            raise DeliveryFailed(f"the gateway answered {answer.status_code}")


def courier_of(settings: Settings, channel: Channel) -> GatewayCourier:
    """Return who carries what goes out on a channel."""
    sms, secret = settings.sms_gateway_url, settings.sms_gateway_secret
    return {
        Channel.SMS: lambda: GatewayCourier(f"{sms}/v1/messages", secret),
        Channel.VOICE: lambda: GatewayCourier(f"{sms}/v1/calls", secret),
        Channel.PUSH: lambda: GatewayCourier(
            f"{settings.push_gateway_url}/v1/push", settings.push_gateway_secret
        ),
    }[channel]()


async def return_transfers_forever(database: Database) -> None:
    """Give back what relatives did not take in time, twice a minute, until cancelled."""
    while True:
        try:
            await to_thread.run_sync(database.write, return_unreceived)
        except Exception:
            _log.exception("transfers could not be given back; trying again in half a minute")
        await asyncio.sleep(_RETURN_SECONDS)


async def upload_filings_forever(database: Database) -> None:
    """Tell the national platform of filings that are due, until cancelled."""
    settings = database.resources.settings
    upload = FilingUpload(settings.national_platform_url, settings.national_platform_secret)
    while True:
        done = 0
        try:
            done = await to_thread.run_sync(upload_due, database, upload)
        except Exception:
            _log.exception("filings could not be uploaded; trying again")
        await asyncio.sleep(0 if done else _UPLOAD_SECONDS)


def upload_due(database: Database, upload: Callable[[UploadDue], UploadAnswered]) -> int:
    """Tell of everything that is due now and return how much it was."""
    if not database.read(uploads.is_due):  # looking takes no writer's turn
        return 0
    due = database.write(uploads.take_due)
    for one in due:
        answer = upload(one)
        database.write(lambda unit, said=answer: uploads.note_answer(unit, said))  # type: ignore[misc]
    return len(due)


async def drive_orders_forever(database: Database, channels: Channels) -> None:
    """Bring payment orders to their end and look after agreements, until cancelled."""
    while channels:
        done = 0
        try:
            done = await to_thread.run_sync(drive_due, database, channels)
            done += await to_thread.run_sync(agree_due, database, channels)
        except Exception:
            _log.exception("payment orders could not be looked after; trying again")
        await asyncio.sleep(0 if done else _IDLE_SECONDS)


async def keep_appointments_forever(database: Database) -> None:
    """Do to appointments and prescriptions what the clock asks for, until cancelled."""
    while True:
        done = 0
        try:
            done = await to_thread.run_sync(keep_appointments, database)
            done += await to_thread.run_sync(keep_prescriptions, database)
        except Exception:
            _log.exception("appointments or prescriptions could not be looked after; trying again")
        await asyncio.sleep(0 if done else _KEEP_SECONDS)


async def examine_forever(database: Database) -> None:
    """Let the monitoring rules look at what was settled, until cancelled."""
    while True:
        done = 0
        try:
            done = await to_thread.run_sync(examine_due, database)
        except Exception:
            _log.exception("settlements could not be examined; trying again")
        await asyncio.sleep(0 if done else _EXAMINE_SECONDS)


async def reconcile_forever(database: Database, channels: Channels) -> None:
    """Compare days that are over with the channels' files, twice an hour, until cancelled."""
    while channels:
        try:
            await to_thread.run_sync(reconcile_due, database, channels)
        except Exception:
            _log.exception("a day could not be reconciled; trying again in half an hour")
        await asyncio.sleep(_RECONCILE_SECONDS)


async def tell_reporters_forever(database: Database) -> None:
    """Tell whoever reported that something waits for them, until cancelled.

    The message names nothing, and is handed over at once: a queue would lay a phone beside a decision.
    """
    courier = courier_of(database.resources.settings, Channel.SMS)
    while True:
        try:
            await to_thread.run_sync(tell_reporters, database, courier)
        except Exception:
            _log.exception("reporters could not be told; trying again")
        await asyncio.sleep(_TELL_SECONDS)


def tell_reporters(database: Database, courier: Callable[[Delivery], None]) -> int:
    """Tell everybody who is to be told now; return how many were."""
    done = 0
    for one in database.read(telling.notices_due):
        if one.phone:
            message = json.dumps({"to": one.phone})
            try:
                courier(Delivery(one.outgoing_id, "notice_waiting", message))
            except DeliveryFailed:
                continue  # its mark stays, and it is tried again
            except DeliveryRefused:
                _log.warning("a reporter's phone takes no messages any more")
        database.write(partial(telling.note_told, due=one))
        done += 1
    return done


def follow_up_debts(database: Database) -> int:
    """Remind of instalments and tell of missed ones, a transaction each; return how many there were."""
    due = database.read(to_follow_up)
    return sum(database.write(partial(follow_up, agreement_id=one)) for one in due)


async def tidy_forever(database: Database) -> None:
    """Throw away what has served, once an hour, until cancelled."""
    while True:
        try:
            await to_thread.run_sync(database.write, tidy_up)
            await to_thread.run_sync(database.write, tidy_identity)
            await to_thread.run_sync(database.write, tidy_codes)
            await to_thread.run_sync(database.write, tidy_notices)
            await to_thread.run_sync(database.write, tidy_faces)
            await to_thread.run_sync(database.write, lapse_forgotten)
            await to_thread.run_sync(database.write, move_on)
            await to_thread.run_sync(database.write, close_silent)
            await to_thread.run_sync(database.write, take_in)
            await to_thread.run_sync(database.write, expire_rewards)
            await to_thread.run_sync(follow_up_debts, database)
            while await to_thread.run_sync(examine_left, database):
                pass  # a batch each
            while await to_thread.run_sync(database.write, tell_of_ends):
                pass  # a batch each, so that no till waits for all of it
            while await to_thread.run_sync(database.write, tell_of_outages) is not None:
                pass  # a batch each, so that no till waits for all of it
        except Exception:
            _log.exception("tidying up failed; trying again in an hour")
        await asyncio.sleep(_TIDY_SECONDS)


async def deliver_forever(database: Database, channel: Channel) -> None:
    """Deliver what is due on a channel until cancelled. A failure is logged and tried again.

    A push or a call that is given up becomes a message.
    """
    courier = courier_of(database.resources.settings, channel)
    give_up = None if channel is Channel.SMS else take_another_way
    while True:
        taken = 0
        try:
            taken = await to_thread.run_sync(deliver_due, database, channel, courier, give_up)
        except Exception:
            _log.exception("delivering messages failed; trying again")
        await asyncio.sleep(0 if taken else _IDLE_SECONDS)
