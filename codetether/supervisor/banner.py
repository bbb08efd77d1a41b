"""What `codetether up` tells its user once everything runs."""

from collections.abc import Mapping

from codetether import __version__
from codetether.supervisor import sockets
from codetether.supervisor.plan import Plan


def banner(plan: Plan, login: Mapping[str, str], *, is_new: bool, seconds: float) -> str:
    """The addresses and, at the first start only, the login; ``seconds`` is how long the start took."""
    rows = [
        ("Web", f"{plan.url}/"),
        ("Admin", f"{plan.url}/admin/"),
        ("API docs", f"{plan.url}/v1/docs"),
        ("A2A", f"{plan.url}/a2a/jsonrpc"),
        *_grpc_rows(plan),
        ("MCP", plan.mcp_url),
        ("Agent card", f"{plan.url}/.well-known/agent-card.json"),
        *_login_rows(plan, login, is_new=is_new),
        ("Logs", str(plan.log("*"))),
        ("Stop", "Ctrl-C"),
    ]
    head = f"CodeTether {__version__} is running (started in {seconds:.1f} s)"
    return "\n".join(["", head, "", *(f"  {name:<11} {value}" for name, value in rows), ""])


def _grpc_rows(plan: Plan) -> list[tuple[str, str]]:
    address = sockets.address(plan.settings.grpc_host, plan.settings.grpc_port)
    return [("A2A by gRPC", address)] if plan.has_grpc else []


def _login_rows(plan: Plan, login: Mapping[str, str], *, is_new: bool) -> list[tuple[str, str]]:
    file = plan.data_dir / "credentials.json"
    if is_new:
        return [
            ("Login", f"{login['admin_username']} / {login['admin_password']}"),
            ("API token", login["token"]),
            ("", f"(shown once; kept in {file})"),
        ]
    return [("Login", f"see {file}")] if login else []
