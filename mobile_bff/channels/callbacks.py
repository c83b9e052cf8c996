"""Where cash channels call back. A callback is believed by its signature alone, and answered at once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from backend.infra.database import Unit
from backend.orders import agreements, queries, service
from backend.orders.contracts import ChannelName
from backend.orders.driving import Channels
from mobile_bff.channels.called_back import CalledBack
from mobile_bff.channels.unionpay import UnionpayChannel
from mobile_bff.channels.wechat import WechatChannel
from mobile_bff.door import Door

_FIELDS_MAX = 100
_log = logging.getLogger("yibao.channels")


class Callbacks:
    """Takes callbacks; what follows from them is the work of whoever looks after orders."""

    def __init__(self, door: Door, channels: Channels) -> None:
        self._door = door
        self._channels = channels

    async def wechat(self, request: Request) -> Response:
        """Take a callback of WeChat Pay: 401 for what cannot be believed, 204 for all else."""
        channel = self._channels.get(ChannelName.WECHAT)
        if not isinstance(channel, WechatChannel):
            return _refused(404, "NOT_OFFERED")
        headers: Mapping[str, str] = {name.lower(): text for name, text in request.headers.items()}
        said = channel.called_back(headers, await request.body())
        if said is None:
            return _refused(401, "SIGN_ERROR")
        if not await self._door.read(lambda unit: _is_ours(unit, said.number)):
            _log.warning("a callback about nothing of ours: %s", said.number[:40])
            return Response(status_code=204)
        await self._door.write(_note, said, request.scope.get("yibao_request_id", ""))
        return Response(status_code=204)

    async def unionpay(self, request: Request) -> Response:
        """Take a callback of UnionPay, a form: 401 for what cannot be believed, 200 for all else."""
        channel = self._channels.get(ChannelName.UNIONPAY)
        if not isinstance(channel, UnionpayChannel):
            return _refused(404, "NOT_OFFERED")
        try:
            body = (await request.body()).decode()
            form = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_FIELDS_MAX))
        except ValueError:
            return _refused(401, "SIGN_ERROR")
        said = channel.called_back(form)
        if said is None:
            return _refused(401, "SIGN_ERROR")
        if await self._door.read(lambda unit: queries.by_number(unit, said.number) is not None):
            await self._door.write(_note, said, request.scope.get("yibao_request_id", ""))
        return PlainTextResponse("ok")


def _note(unit: Unit, said: CalledBack) -> None:
    order_id = queries.by_number(unit, said.number)
    if order_id is not None:
        service.note_cash(unit, order_id, said.seen)
    else:
        agreements.wake(unit, said.number)


def _is_ours(unit: Unit, number: str) -> bool:
    return queries.by_number(unit, number) is not None or agreements.is_ours(unit, number)


def _refused(status: int, code: str) -> Response:
    return JSONResponse({"code": code, "message": "FAIL"}, status)
