"""Loopback ports that are known before their server starts and stay reserved while it restarts."""

from __future__ import annotations

import socket
import sys

from cli.local.processes import LocalError

LOOPBACK = "127.0.0.1"


class Port:
    """A free port of 127.0.0.1, or the wanted one.

    On Linux a bound socket that does not listen keeps the number: a server that sets SO_REUSEADDR (all of ours)
    may listen on it, while no other program is given it, not even in the moment of a restart. Elsewhere the
    socket is closed at once, since two sockets may not share the address there.
    """

    def __init__(self, wanted: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((LOOPBACK, wanted))
        except OSError as error:
            self._socket.close()
            raise LocalError(f"port {wanted} cannot be used ({error.strerror}); give another one") from None
        self.number: int = self._socket.getsockname()[1]
        if sys.platform != "linux":
            self.close()

    def close(self) -> None:
        """Give the number back."""
        self._socket.close()
