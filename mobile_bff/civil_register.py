"""Asks the civil register whether a name and an ID number belong together."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from backend.identity.registration_contracts import CivilAnswer
from backend.kernel.ids import IdSource
from mobile_bff.signing import is_signed, signature_of

if TYPE_CHECKING:
    from httpx import AsyncClient

_SECONDS_MAX = 4
"""For a whole answer. Both tries end before the request does."""
_TRIES = 2


class CivilRegister:
    """A caller of the register; whatever is not a signed answer to this very question is none."""

    def __init__(self, url: str, secret: str, ids: IdSource) -> None:
        self._url = f"{url}/v1/checks"
        self._secret = secret.encode()
        self._ids = ids

    async def check(self, name: str, id_number: str) -> CivilAnswer | None:
        """Return what the register says, or ``None`` where it cannot be had now."""
        import httpx  # loaded with the first question to the register

        async with httpx.AsyncClient(timeout=_SECONDS_MAX, trust_env=False) as client:
            for _ in range(_TRIES):
                said = await self._ask(client, name, id_number)
                if said is not None:
                    return said
        return None

    async def _ask(self, client: AsyncClient, name: str, id_number: str) -> CivilAnswer | None:
        import httpx

        nonce = self._ids.secret(16).hex()
        question = {"nonce": nonce, "name": name, "idNumber": id_number}
        body = json.dumps(question, ensure_ascii=False).encode()
        headers = {
            "content-type": "application/json",
            "x-signature": signature_of(self._secret, body),
        }
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                answer = await client.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, TimeoutError):
            return None
        signature = answer.headers.get("x-signature", "")
        signed = is_signed(self._secret, answer.content, signature)
        if answer.status_code != httpx.codes.OK or not signed:
            return None
        try:
            said = answer.json()
            return CivilAnswer(said["result"]) if said["nonce"] == nonce else None
        except (ValueError, KeyError, TypeError):
            return None
