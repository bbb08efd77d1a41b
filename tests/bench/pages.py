"""`python -m tests.bench.pages`: how long the console's pages and the lists of the REST face take in a large database.

It measures what DATABASE_URL names, which `manage.py seed_demo --scale` has filled; it only reads. Each page is asked
once, and then some times in this process, as a superuser (pages) or the default workspace's operator (REST). On a busy
machine the times mean little: what a page costs is the processor time of this process and of the database's (which is
told where it runs on the same machine). It also says how much the process grew over an export of everything.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import Client

TASK = "{task}"
SHOWN = (
    "/admin/",
    "/admin/tasks/task/",
    "/admin/tasks/task/?state=completed",
    "/admin/tasks/task/?state=failed",
    "/admin/tasks/task/?state=pending",
    "/admin/tasks/task/?needs=person",
    "/admin/tasks/task/?needs=open",
    "/admin/tasks/task/?needs=stuck",
    "/admin/tasks/task/?needs=mine",
    "/admin/tasks/task/?cost=1",
    "/admin/tasks/task/?made=today",
    "/admin/tasks/task/?requires=docker",
    "/admin/tasks/task/?codebase={codebase}",
    "/admin/tasks/task/?p=5",
    "/admin/tasks/task/{task}/change/",
    "/admin/tasks/task/{long}/change/",
    "/admin/tasks/task/?session={session}",
    "/admin/agent_sessions/agentsession/",
    "/admin/agent_sessions/agentsession/?q=gazebo",
    "/admin/agent_sessions/agentsession/?codebase={codebase}",
    "/admin/agent_sessions/agentsession/?program=opencode",
    "/admin/agent_sessions/agentsession/?active=week",
    "/admin/agent_sessions/agentsession/{conversation}/change/",
    "/admin/agent_sessions/agentsession/{conversation}/search/?q=gazebo",
    "/admin/codebases/codebase/",
    "/admin/codebases/codebase/{codebase}/change/",
    "/admin/workers/worker/",
    "/admin/workers/worker/{worker}/change/",
    "/admin/tasks/queuelimit/",
    "/admin/search/?s=gazebo",
    "/admin/search/?s={task}",
)
"""Pages of the console."""
LISTED = (
    "/v1/opencode/tasks",
    "/v1/opencode/tasks?status=completed",
    "/v1/opencode/tasks?status=pending",
    "/v1/opencode/tasks?codebase_id={codebase}",
    "/v1/opencode/tasks/{task}",
    "/v1/opencode/tasks/{long}/events",
    "/v1/opencode/tasks/{long}/output",
    "/v1/opencode/tasks/stuck",
    "/v1/opencode/codebases",
    "/v1/opencode/codebases/{codebase}/tasks",
    "/v1/opencode/codebases/{codebase}/sessions",
    "/v1/opencode/codebases/{codebase}/sessions?q=gazebo",
    "/v1/opencode/codebases/{codebase}/sessions/{session}/messages",
    "/v1/opencode/database/sessions",
    "/v1/opencode/database/sessions?q=gazebo",
    "/v1/opencode/database/sessions?q=mend+the+till",
    "/v1/opencode/database/status",
    "/v1/opencode/status",
    "/v1/queue/status",
    "/v1/queue/my",
    "/v1/queue/runs",
    "/v1/queue/runs?status=failed",
    "/v1/queue/runs?codebase_id={codebase}",
    "/v1/monitor/agents",
    "/v1/monitor/messages",
    "/v1/monitor/messages?conversation_id={session}",
    "/v1/monitor/messages/search?q=courier+label",
    "/v1/monitor/messages/count",
    "/v1/monitor/stats",
)
"""Lists and counts of the REST face."""
SOUGHT = (
    "/v1/opencode/tasks?q=till",
    "/v1/opencode/tasks?q=gazebo",
    "/v1/opencode/tasks?worker_id=nobody",
    "/v1/opencode/tasks?agent_type=nothing",
)
"""What few or no tasks match: looked for among the latest, or by an index that pays in large tables only."""


@dataclass
class Visitor:
    """Asks for pages as somebody signed in, and for lists with a token."""

    token: str
    username: str
    places: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pages, self.programs = Client(), Client(headers={"Authorization": f"Bearer {self.token}"})
        self.pages.force_login(apps.get_model("accounts", "User").objects.get(username=self.username))

    def ask(self, path: str) -> int:
        """The status of what is at `path`."""
        client = self.pages if path.startswith("/admin/") else self.programs
        answer = client.get(path.format(**self.places))
        return int(answer.status_code)


def places() -> dict[str, str]:
    """Ids of what there is: a usual task, the one with the longest log, a codebase, a session of it, and its worker."""
    task, session = apps.get_model("tasks", "Task"), apps.get_model("agent_sessions", "AgentSession")
    ours = apps.get_model("accounts", "Workspace").objects.get(slug="default")
    usual = task.objects.filter(workspace=ours, state="completed").order_by("-created_at")[:1].get()
    longest = task.objects.filter(workspace=ours, last_seq__gt=90).order_by("-last_seq")[:1].get()
    found = session.objects.filter(workspace=ours).order_by("-message_count")[:1].get()
    return {
        "task": str(usual.pk),
        "long": str(longest.pk),
        "codebase": found.codebase_id,
        "worker": str(apps.get_model("workers", "Worker").objects.filter(workspace=ours)[:1].get().pk),
        "session": found.session_id,
        "conversation": str(found.pk),
    }


@contextmanager
def visiting() -> Iterator[Visitor]:
    """A visitor with a token and a superuser, both removed at the end."""
    user_model, token_model = apps.get_model("accounts", "User"), apps.get_model("accounts", "ApiToken")
    ours = apps.get_model("accounts", "Workspace").objects.get(slug="default")
    user = user_model.objects.create_superuser(f"pages-visitor-{os.getpid()}", password=os.urandom(16).hex())
    token, secret = import_module("apps.accounts.tokens").token_create(
        workspace=ours, name="pages-visitor", role="operator"
    )
    try:
        yield Visitor(secret, user.username, places())
    finally:
        token_model.objects.filter(pk=token.pk).delete()
        user.delete()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--times", type=int, default=20, help="how often each page is asked for (20)")
    parser.add_argument("--only", default="", help="only paths that hold this")
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")
    django.setup()
    settings.ALLOWED_HOSTS, settings.RATE_LIMITS = ["*"], {}
    with visiting() as visitor:
        sys.stdout.write("| Page | p50 ms | p95 ms | CPU ms | of the database |\n|---|---|---|---|---|\n")
        for path in (*SHOWN, *LISTED, *SOUGHT):
            if args.only in path:
                sys.stdout.write(line(visitor, path, args.times))
                sys.stdout.flush()
    sys.stdout.write(f"largest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB\n")
    return 0


def database_cpu() -> float:
    """Seconds that the server process of our connection has used (proc(5), stat: utime and stime, in hundredths)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone() or (0,)
    stat = Path(f"/proc/{pid}/stat")
    fields = stat.read_text().rsplit(")", 1)[1].split() if stat.exists() else ["0"] * 13
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def line(visitor: Visitor, path: str, times: int) -> str:
    """One line of the table."""
    visitor.ask(path)
    took, cpu, beyond = [], time.process_time(), database_cpu()
    for _ in range(times):
        began = time.perf_counter()
        status = visitor.ask(path)
        took.append(1000 * (time.perf_counter() - began))
    cpu = 1000 * (time.process_time() - cpu) / times
    beyond = 1000 * (database_cpu() - beyond) / times
    told = "" if status == 200 else f" ({status})"
    p95 = statistics.quantiles(took, n=20)[-1] if times > 1 else took[0]
    return f"| `{path}`{told} | {statistics.median(took):.0f} | {p95:.0f} | {cpu:.0f} | {beyond:.0f} |\n"


if __name__ == "__main__":
    sys.exit(main())
