"""Serving a small ASGI application from the command's own process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from cli.local.ports import LOOPBACK

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """The application's address on this machine; without a port it gets a free one."""
    import uvicorn

    class Server(uvicorn.Server):
        """uvicorn without its own signal handlers: the command decides when to stop."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    with socket.create_server((LOOPBACK, port)) as listener:
        server = Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
