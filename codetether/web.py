"""The web process: uvicorn on the sockets that the supervisor has opened.

It loads the application at once, but serves only when the gate opens: so the slow import runs beside the
migrations. The gate is a pipe; it is open when the supervisor has closed its end.
"""

import argparse
import importlib
import os
import socket
import sys
from typing import Any

import uvicorn
from django.conf import settings
from uvicorn.supervisors import ChangeReload

from codetether.connections import BoundedProtocol, raise_file_limit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")  # noqa: TID251

APPLICATION = "codetether.asgi:application"
# Open streams end by themselves at a stop; what has not by then is cut.
GRACE_SECONDS = 3
FRAME_BYTES = 65_536
"""Largest message of a WebSocket that is read at all; `apps/live/sockets.py` takes smaller ones only."""


def server_config(application: Any, *, log_level: str, reload: bool = False) -> uvicorn.Config:
    """How uvicorn serves; `reload` is for development."""
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=BoundedProtocol,
        ws_max_size=FRAME_BYTES,
        forwarded_allow_ips=settings.TRUSTED_PROXIES,
        log_level=log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        reload=reload,
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m codetether.web", description="Started by the supervisor.")
    parser.add_argument("--fd", type=int, action="append", required=True, help="a listening socket; one or more")
    parser.add_argument("--gate-fd", type=int, help="a pipe; serve when its other end is closed")
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--reload", action="store_true")
    options = parser.parse_args(arguments)
    listeners = [socket.socket(fileno=fd) for fd in options.fd]
    raise_file_limit()
    config = server_config(APPLICATION, log_level=options.log_level.lower(), reload=options.reload)
    server = uvicorn.Server(config)
    if options.reload:
        _wait_for(options.gate_fd)
        ChangeReload(config, target=server.run, sockets=listeners).run()
        return
    importlib.import_module(APPLICATION.partition(":")[0])
    _wait_for(options.gate_fd)
    server.run(sockets=listeners)


def _wait_for(gate: int | None) -> None:
    if gate is not None:
        os.read(gate, 1)


if __name__ == "__main__":
    main(sys.argv[1:])
