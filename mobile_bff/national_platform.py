"""Asks the national platform whose 医保码 a till has scanned (``ec.query``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from backend.codes.contracts import NationalAnswer, NationalHolder, NationalSilence, Purpose
from mobile_bff.signing import is_signed

_SECONDS_MAX = 5
_PATH = "/localcfc/api/hsecfc/localQrCodeQuery"
_MASK = "*"


@dataclass(frozen=True)
class Asking:
    """Which institution asks, through whom, and for which business."""

    institution_code: str
    operator_id: str
    purpose: Purpose


class NationalPlatform:
    """A caller of the platform. A code serves once, so it is asked once and never again by itself."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = f"{url}{_PATH}"
        self._secret = secret.encode()

    async def decode(self, text: str, asking: Asking) -> NationalAnswer:
        """Return what the platform says of a code."""
        body = {
            "orgId": asking.institution_code,
            "transType": "ec.query",
            "data": {
                "orgId": asking.institution_code,
                "businessType": asking.purpose.national_code,
                "operatorId": asking.operator_id,
                "operatorName": asking.operator_id,
                "officeId": "",
                "officeName": "",
                "deviceType": "",
                "ecQrCode": text,
            },
        }
        try:
            async with httpx.AsyncClient(timeout=_SECONDS_MAX, trust_env=False) as client:
                answer = await client.post(self._url, json=body)
        except httpx.HTTPError:
            return NationalSilence.SILENT
        signature = answer.headers.get("x-signature", "")
        signed = is_signed(self._secret, answer.content, signature)
        if answer.status_code != httpx.codes.OK or not signed:
            return NationalSilence.SILENT
        try:
            return _read(answer.json())
        except (ValueError, KeyError, TypeError):
            return NationalSilence.SILENT


def _read(said: dict[str, Any]) -> NationalAnswer:
    if said["code"] != 0:
        return NationalSilence.NO_CODE
    data = said["data"]
    if _MASK in data["idNo"] or data["idType"] != "01":
        return NationalSilence.MASKED
    return NationalHolder(str(data["userName"]), str(data["idNo"]), str(data["insuOrg"]))
