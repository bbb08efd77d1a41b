"""What is to be run: the settings of one `codetether up` or `run`, and the programs that follow from them."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codetether import env
from codetether.supervisor import sockets
from codetether.supervisor.children import Program

JOB_THREADS = 4
UNCHECKED = {"CELERY_SKIP_CHECKS": "1"}
"""Celery would run Django's system checks, for which it loads every page of the console: half of its start."""
WORKER_DRAIN_SECONDS = 5
"""What the local worker's tasks get when everything stops: the person who pressed Ctrl-C waits."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`is_whole` is `codetether up`: everything, with logs in files, and alone in its data folder.

    Otherwise it is `codetether run`: the web server, writing to the console, beside whatever runs already.
    """

    settings: env.Env
    is_whole: bool
    has_worker: bool
    reload: bool = False

    @property
    def url(self) -> str:
        return sockets.url(self.settings.host, self.settings.port)

    @property
    def has_grpc(self) -> bool:
        """`codetether run` is the web server alone; `codetether grpc` may run beside it."""
        return self.is_whole and bool(self.settings.grpc_port)

    @property
    def has_mcp_port(self) -> bool:
        """Whether MCP gets one of its own beside the web server's, by `codetether run` only where it is asked for."""
        return bool(self.settings.mcp_port) and (self.is_whole or self.settings.mcp_is_asked)

    @property
    def mcp_url(self) -> str:
        port = self.has_mcp_port
        return f"{sockets.url(self.settings.mcp_host, self.settings.mcp_port) if port else self.url}/mcp"

    @property
    def data_dir(self) -> Path:
        return self.settings.data_dir

    def log(self, name: str) -> Path:
        return self.data_dir / "logs" / f"{name}.log"

    def environment(self, database_url: str, redis_url: str) -> dict[str, str]:
        """What every part has to know."""
        variables = {
            "DATABASE_URL": database_url,
            "A2A_REDIS_URL": redis_url,
            "CODETETHER_DATA_DIR": str(self.data_dir),
            "A2A_HOST": self.settings.host,
            "A2A_PORT": str(self.settings.port),
            "MCP_HTTP_PORT": str(self.settings.mcp_port if self.has_mcp_port else 0),
        }
        if self.is_whole:
            variables["A2A_GRPC_PORT"] = str(self.settings.grpc_port)
        inherited = env.inherited(**variables)
        inherited.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")
        inherited.setdefault("A2A_GRPC_PORT", "0")  # of `run`: else the card would name what nobody has started
        return inherited


def prepare(plan: Plan, environment: Mapping[str, str]) -> Program:
    return Program(
        name="prepare",
        command=[sys.executable, "-m", "codetether.supervisor.prepare"],
        environment=environment,
        log=plan.log("prepare"),
    )


def web(plan: Plan, environment: Mapping[str, str], *, listeners: Sequence[int], gate: int) -> Program:
    """``listeners`` and ``gate`` are file descriptors, see codetether.web."""
    options = [f"--fd={one}" for one in listeners]
    options += [f"--gate-fd={gate}", f"--log-level={plan.settings.log_level}"]
    return Program(
        name="web",
        command=[sys.executable, "-m", "codetether.web", *options, *(["--reload"] if plan.reload else [])],
        environment=environment,
        log=plan.log("web") if plan.is_whole else None,
        pass_fds=(*listeners, gate),
    )


def grpc(plan: Plan, environment: Mapping[str, str]) -> Program:
    """A2A's gRPC binding: a process of its own, because gRPC's server is not ASGI's."""
    return Program(
        name="grpc",
        command=[sys.executable, "-m", "codetether.grpc_server"],
        environment=environment,
        log=plan.log("grpc"),
    )


def bridge(plan: Plan, environment: Mapping[str, str]) -> Program:
    """Takes tasks to remote A2A agents; gives them back when it stops."""
    return Program(
        name="bridge",
        command=[sys.executable, "-m", "codetether.bridge"],
        environment=environment,
        log=plan.log("bridge"),
    )


def jobs(plan: Plan, environment: Mapping[str, str]) -> Program:
    """Celery's worker: threads, because one process is all that a single machine needs."""
    options = ["--pool=threads", f"--concurrency={JOB_THREADS}", "--loglevel=WARNING"]
    # What it would find out about other workers at the start takes a second and is of no use alone.
    options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program(
        name="jobs",
        command=[sys.executable, "-m", "celery", "-A", "codetether", "worker", *options],
        environment={**environment, **UNCHECKED},
        log=plan.log("jobs"),
    )


def clock(plan: Plan, environment: Mapping[str, str]) -> Program:
    """Celery's beat. A program of its own: inside the worker (`--beat`) it would be a child that nobody starts again
    when it dies, and then no lease would ever be noticed to have run out."""
    return Program(
        name="clock",
        command=[sys.executable, "-m", "celery", "-A", "codetether", "beat", "--pidfile=", "--loglevel=WARNING"],
        environment={**environment, **UNCHECKED},
        log=plan.log("clock"),
    )


def worker(plan: Plan, token: str) -> Program:
    """The local agent worker; it gets the server's address and a token, and nothing of its database."""
    environment = env.inherited(A2A_TOKEN=token, A2A_WORKER_DRAIN_GRACE=str(WORKER_DRAIN_SECONDS))
    for name in (
        "DATABASE_URL",
        "A2A_DATABASE_URL",
        "A2A_REDIS_URL",
        "CODETETHER_SECRET_KEY",
        "CODETETHER_SECRET_KEY_FALLBACKS",
        "A2A_SIGNING_KEY",
        "A2A_VAPID_PRIVATE_KEY",
        "OIDC_CLIENT_SECRET",
        "KEYCLOAK_CLIENT_SECRET",
        "KEYCLOAK_ADMIN_PASSWORD",
        "A2A_AUTH_TOKENS",
        "MCP_TOKEN",
    ):
        environment.pop(name, None)
    command = [sys.executable, "-m", "codetether_worker", "--server-url", plan.url, "--name", "local"]
    return Program(
        name="worker",
        command=[*command, "--codebase", str(Path.cwd())],
        environment=environment,
        log=plan.log("worker"),
        stop_timeout=WORKER_DRAIN_SECONDS + 12,  # and what stopping a stubborn agent and the last report may take
    )
