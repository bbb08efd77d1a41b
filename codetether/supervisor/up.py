"""Start the parts in the order that they need each other, watch them, and stop them in reverse."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from codetether import embedded, env
from codetether.embedded.state import Lock, read_json, write_private_json
from codetether.supervisor import sockets
from codetether.supervisor.errors import StartError
from codetether.supervisor.plan import Plan
from codetether.supervisor.run import Run


def show(text: str) -> None:
    """Something for the person at the console."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def report(line: str) -> None:
    """One line about what happens now."""
    show(f"{time.strftime('%H:%M:%S')} {line}")


def up(plan: Plan) -> None:
    """Run until Ctrl-C or SIGTERM. StartError or EmbeddedError say in one line why it cannot start."""
    began = time.monotonic()
    # Until the event loop takes over, a SIGTERM unwinds what has been started just as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        _make_data_folder(plan.data_dir)
        if plan.is_whole:
            stack.enter_context(_alone(plan))
        listeners = [stack.enter_context(sockets.listen(plan.settings.host, plan.settings.port))]
        plan = _grpc_or_not(plan)
        plan, of_mcp = _mcp_port_or_not(plan)
        listeners += [stack.enter_context(one) for one in of_mcp]
        services = _start_services(plan)
        stack.callback(services.stop)
        environment = plan.environment(
            plan.settings.database_url or services.database_url,
            plan.settings.redis_url or services.redis_url,
        )
        run = Run(plan, environment, services, listeners, report=report, show=show)
        asyncio.run(run.main(began))
    report("stopped")


def restart_worker(data_dir: Path) -> int:
    """Ask the `codetether up` of this folder to restart its local worker; returns the supervisor's pid."""
    note = read_json(data_dir / "up.json")
    if note is None or not Lock(data_dir / "up.lock").is_held():
        raise StartError(f"Nothing to restart: no 'codetether up' runs in {data_dir}.")
    os.kill(int(note["pid"]), signal.SIGUSR1)
    return int(note["pid"])


def _make_data_folder(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"The data folder {data_dir} cannot be made: {error.strerror or error}.") from error


@contextlib.contextmanager
def _alone(plan: Plan) -> Iterator[None]:
    """Hold the data folder: a second `up` in it would run a second scheduler and a second local worker."""
    lock = Lock(plan.data_dir / "up.lock")
    note = plan.data_dir / "up.json"
    if not lock.acquire():
        other = read_json(note) or {}
        where = f" (process {other['pid']}, {other['url']})" if "pid" in other else ""
        raise StartError(
            f"CodeTether already runs in {plan.data_dir}{where}; stop it first, or give another --data-dir."
        )
    try:
        write_private_json(note, {"pid": os.getpid(), "url": plan.url})
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _grpc_or_not(plan: Plan) -> Plan:
    """A default port that is taken must not keep all else from starting; one that was asked for must be had."""
    if not plan.has_grpc:
        return plan
    try:
        sockets.check_grpc(plan.settings)
    except StartError as error:
        if "A2A_GRPC_PORT" in env.inherited():
            raise
        report(f"without gRPC: {error}")
        return replace(plan, settings=replace(plan.settings, grpc_port=0))
    return plan


def _mcp_port_or_not(plan: Plan) -> tuple[Plan, list[socket.socket]]:
    """The same for MCP's own port, which the web process listens on beside its first: (the plan, what is open)."""
    if not plan.has_mcp_port:
        return plan, []
    try:
        return plan, [sockets.listen_for_mcp(plan.settings)]
    except StartError as error:
        if plan.settings.mcp_is_asked:
            raise
        report(f"without a port of its own for MCP, which answers at {plan.url}/mcp: {error}")
        return replace(plan, settings=replace(plan.settings, mcp_port=0)), []


def _start_services(plan: Plan) -> embedded.Services:
    settings = plan.settings
    given = {"postgres": settings.database_url, "valkey": settings.redis_url}
    needs = {name for name, url in given.items() if not url}
    if needs:
        report(f"starting the embedded services in {plan.data_dir}")
    return embedded.start(plan.data_dir, needs=needs, reuse=not plan.is_whole)
