"""The server's connections, each bounded in time and in what waits for its caller.

The server that carries the application closes connections that stand idle after an answer and sockets
that answer no ping. It waits without end for the rest of a request's head, for a body that nobody reads any
more, and for a caller who takes no answer. Those are ended here.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from backend.infra.settings import Settings
from mobile_bff.request_frame import SETTINGS

MESSAGE_BYTES_MAX = 65_536
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


def server_options(settings: Settings) -> dict[str, Any]:
    """Return how the server is to treat connections, as arguments of ``uvicorn.run``."""
    return {
        "http": f"{__name__}:HttpConnection",
        "ws": f"{__name__}:SocketConnection",
        "ws_max_size": MESSAGE_BYTES_MAX,
        "ws_ping_interval": settings.socket_ping_seconds,
        "ws_ping_timeout": settings.socket_ping_seconds,
        "timeout_keep_alive": settings.keep_alive_seconds,
        "limit_concurrency": settings.connections_per_worker_max,
        "proxy_headers": False,  # the outermost middleware reads them
        "server_header": False,
    }


class _Connection(asyncio.Protocol):
    """Ends a connection whose caller does not take what was written to it.

    Every ``write_seconds`` it looks whether the same pause in writing, or the same close, still waits for
    the caller, and whether the caller took ``bytes_per_second_min`` meanwhile.
    """

    app_state: dict[str, Any]
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _paused = False
    _resumptions = 0
    _seen: tuple[int, int] | None = None
    _look_timer: asyncio.TimerHandle | None = None

    @property
    def settings(self) -> Settings:
        """Return the application's settings."""
        return cast(Settings, self.app_state[SETTINGS])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to look."""
        super().connection_made(transport)
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the looking."""
        self.stop_looking()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Note that the caller is behind."""
        self._paused = True
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the caller has caught up."""
        self._paused = False
        self._resumptions += 1
        super().resume_writing()

    def stop_looking(self) -> None:
        """End the looking: the connection is lost, or another protocol's."""
        if self._look_timer is not None:
            self._look_timer.cancel()
            self._look_timer = None

    def reset(self) -> None:
        """End the connection at once and drop what waits for the caller, here and in the kernel."""
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        self.transport.abort()

    def _look_again(self) -> None:
        self._look_timer = self.loop.call_later(self.settings.write_seconds, self._look)

    def _look(self) -> None:
        size = self.transport.get_write_buffer_size()
        waits = size > 0 and (self._paused or self.transport.is_closing())
        if waits and self._seen is not None:
            resumptions, size_before = self._seen
            taken = size_before - size
            least = self.settings.bytes_per_second_min * self.settings.write_seconds
            if resumptions == self._resumptions and taken < least:
                self.reset()
                return
        self._seen = (self._resumptions, size) if waits else None
        self._look_again()


class HttpConnection(_Connection, H11Protocol):
    """A connection that brings the head of a request in time, and leaves when its body is unwanted."""

    _read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._start_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and begin or end to wait for more."""
        super().data_received(data)
        self._time_reading()

    def on_response_complete(self) -> None:
        """Begin or end to wait for more."""
        super().on_response_complete()
        self._time_reading()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave the connection to the protocol of its socket."""
        super().handle_websocket_upgrade(event)
        self.stop_looking()
        self._stop_waiting()

    def _time_reading(self) -> None:
        """Let the rest of a head, or of a body that was answered already, take its time and no more."""
        if not self._is_owed_more():
            self._stop_waiting()
        elif self._read_timer is None:
            self._start_waiting()

    def _is_owed_more(self) -> bool:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return False
        if self.conn.their_state is h11.IDLE:
            return bool(self.conn.trailing_data[0])
        return self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE

    def _start_waiting(self) -> None:
        seconds = self.settings.request_head_seconds
        self._read_timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None


class SocketConnection(_Connection, WebSocketsSansIOProtocol):
    """A socket for whose caller only so much waits."""

    def data_received(self, data: bytes) -> None:
        """Take what came; end a caller who asks, if only by pings, and does not read the answers."""
        super().data_received(data)
        if self.transport.get_write_buffer_size() > self.settings.socket_buffer_bytes_max:
            self.reset()
