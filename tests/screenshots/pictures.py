"""Which pictures are taken: of each, where its page is and what is done there first."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import expect

from tests.browsing.chromium import Watched
from tests.browsing.stage import Stage

FOUND = "/admin/agent_sessions/agentsession/?q=gazebo"
Act = Callable[[Watched], None]


def _nothing(watched: Watched) -> None:
    """The page as it comes."""


@dataclass(frozen=True)
class Picture:
    """A page. `docs` names, by look, the file under which it goes into the documentation."""

    name: str
    address: str
    act: Act = _nothing
    docs: dict[str, str] = field(default_factory=dict)
    signed_in: bool = True


def pictures(stage: Stage) -> list[Picture]:
    asking, running = (f"/admin/tasks/task/{hand.task_id}/change/" for hand in (stage.asking, stage.running))
    completed = f"/admin/tasks/task/{stage.tasks['completed']}/change/"
    return [
        Picture("login", "/admin/login/", signed_in=False),
        Picture("overview", "/admin/", docs={"desktop-light": "overview", "phone-dark": "overview-phone"}),
        Picture("tasks", "/admin/tasks/task/"),
        Picture("task-asking", asking, docs={"desktop-dark": "task", "phone-light": "task-phone"}),
        Picture("task-running", running),
        Picture("task-completed", completed),
        Picture("cancel", asking, _opens("Cancel")),
        Picture("palette", "/admin/tasks/task/", _searches, docs={"desktop-dark": "palette"}),
        Picture("sessions", FOUND),
        Picture("session", FOUND, _opens_the_first_row),
        Picture("codebases", "/admin/codebases/codebase/"),
        Picture("codebase", f"/admin/codebases/codebase/{stage.codebase_id}/change/"),
        Picture("workers", "/admin/workers/worker/"),
        Picture("worker", "/admin/workers/worker/", _opens_the_row("Workbench")),
        Picture("notifications", "/admin/push/"),
        Picture("limits", "/admin/tasks/queuelimit/"),
        Picture("variables", "/admin/codebases/variable/"),
        Picture("remote-agents", "/admin/federation/remoteagent/"),
        Picture("push-notifications", "/admin/a2a_face/pushconfig/"),
        Picture("audit", "/admin/audit/auditentry/"),
        Picture("tokens", "/admin/accounts/apitoken/"),
        Picture("members", "/admin/accounts/membership/"),
    ]


def _opens(words: str) -> Act:
    def act(watched: Watched) -> None:
        watched.act(words)
        expect(watched.page.locator("#modal-content #dialog")).to_be_visible()

    return act


def _opens_the_row(words: str) -> Act:
    def act(watched: Watched) -> None:
        watched.page.locator("#result_list a", has_text=words).first.click()
        watched.page.wait_for_url("**/change/")

    return act


def _opens_the_first_row(watched: Watched) -> None:
    watched.page.locator("#result_list .ct-title").first.click()
    watched.page.wait_for_url("**/change/")


def _searches(watched: Watched) -> None:
    page = watched.page
    page.keyboard.press("Control+k")
    page.fill("#search-input-command", "till")
    expect(page.locator("#command-results-list li").first).to_be_visible()
