"""A load balancer of TCP connections on loopback: one port, several servers behind it, one after the other."""

import contextlib
import itertools
import selectors
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Self

CHUNK = 65_536


class Balancer:
    """`url` is the one address. `route` says which ports new connections go to from now on, in turns."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.route(ports)

    def route(self, ports: Sequence[int]) -> None:
        self._turns: Iterator[int] = itertools.cycle(ports)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed at the end
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client, next(self._turns)), daemon=True).start()

    def _serve(self, client: socket.socket, port: int) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
            carry(client, server)


def carry(client: socket.socket, server: socket.socket) -> None:
    """Bytes both ways until either side ends or breaks; then both are closed, as a proxy does."""
    with selectors.DefaultSelector() as ready:
        ready.register(client, selectors.EVENT_READ, server)
        ready.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in ready.select():
                piece = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                if not piece:
                    return
                key.data.sendall(piece)
