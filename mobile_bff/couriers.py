"""Couriers: what hands messages, calls and pushes over to their gateways."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from backend.infra.outbox import Channel, Delivery, DeliveryFailed, DeliveryRefused
from backend.infra.settings import Settings
from mobile_bff.outside import answered_in_time
from mobile_bff.signing import signature_of

if TYPE_CHECKING:
    from httpx import Client


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
