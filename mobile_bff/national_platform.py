"""Asks the national platform whose 医保码 a till has scanned (``ec.query``)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from backend.codes.contracts import NationalAnswer, NationalHolder, NationalSilence, Purpose
from backend.filings.contracts import UploadAnswered, UploadDue
from mobile_bff.outside import answered_in_time
from mobile_bff.signing import is_signed, signature_of

if TYPE_CHECKING:
    from httpx import Client

_SECONDS_MAX = 5
_PATH = "/localcfc/api/hsecfc/localQrCodeQuery"
_FILINGS = "/nationwide/api/filings"
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
        import httpx  # loaded with the first question to the platform

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
            async with (
                asyncio.timeout(_SECONDS_MAX),
                httpx.AsyncClient(timeout=_SECONDS_MAX, trust_env=False) as client,
            ):
                answer = await client.post(self._url, json=body)
        except (httpx.HTTPError, TimeoutError):
            return NationalSilence.SILENT
        signature = answer.headers.get("x-signature", "")
        signed = is_signed(self._secret, answer.content, signature)
        if answer.status_code != httpx.codes.OK or not signed:
            return NationalSilence.SILENT
        try:
            return _read(answer.json())
        except (ValueError, KeyError, TypeError):
            return NationalSilence.SILENT


class FilingUpload:
    """Tells the platform of filings: one request each, signed both ways, never twice by itself."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = f"{url}{_FILINGS}"
        self._secret = secret.encode()

    @cached_property
    def _client(self) -> Client:
        """Return the client, made with the first upload."""
        import httpx

        return httpx.Client(timeout=_SECONDS_MAX, trust_env=False)

    def __call__(self, due: UploadDue) -> UploadAnswered:
        """Return what the platform said; an answer that cannot be believed is none."""
        import httpx

        body = json.dumps(due.body, ensure_ascii=False).encode()
        headers = {
            "content-type": "application/json",
            "x-signature": signature_of(self._secret, body),
        }
        silent = UploadAnswered(due.filing_id, due.operation, None, "国家平台没有应答")
        try:
            answer = answered_in_time(
                lambda: self._client.post(self._url, content=body, headers=headers)
            )
        except httpx.HTTPError:
            return silent
        signed = is_signed(self._secret, answer.content, answer.headers.get("x-signature", ""))
        if answer.status_code != httpx.codes.OK or not signed:
            return silent
        try:
            said = answer.json()
            if said["infcode"] != 0:
                words = str(said["err_msg"])
                return UploadAnswered(due.filing_id, due.operation, False, words)
            taken = said["output"]["out_fil_upld_stas"] == "1"
        except (ValueError, KeyError, TypeError):
            return silent
        return UploadAnswered(due.filing_id, due.operation, taken)


def _read(said: dict[str, Any]) -> NationalAnswer:
    if said["code"] != 0:
        return NationalSilence.NO_CODE
    data = said["data"]
    if _MASK in data["idNo"] or data["idType"] != "01":
        return NationalSilence.MASKED
    return NationalHolder(str(data["userName"]), str(data["idNo"]), str(data["insuOrg"]))
