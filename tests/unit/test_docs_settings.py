"""Every setting is documented with its default, and every documented one is read."""

import ast
import re

from codetether_worker.agents.opencode_environment import opencode_environment
from codetether_worker.agents.opencode_news import Interface
from codetether_worker.options import OPTIONS
from tests.architecture.sources import ROOT, sources
from tests.unit.documents import marked, names, rows

PAGE = "reference/settings.md"
EMPTY = "*(empty)*"
THE_SYSTEMS_OWN = {"HOME"}


def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def texts(call: ast.Call) -> list[str]:
    return [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]


def calls_of(path: str, *methods: str) -> list[ast.Call]:
    """Calls such as `source.int(…)` in a file."""
    return [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func) in {f"source.{method}" for method in methods}
    ]  # fmt: skip


def default_of(call: ast.Call) -> object:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    return ast.literal_eval(given["default"]) if "default" in given else None


def shown(default: object) -> str:
    """A default as the tables show it."""
    if isinstance(default, list):
        default = ",".join(default)
    text = f"{default:g}" if isinstance(default, float) else str(default)
    return f"`{text}`" if text else EMPTY


def server_settings() -> dict[str, str]:
    reads = calls_of("codetether/env.py", "str", "int", "bool", "list")
    return {texts(call)[0]: shown(default_of(call)) for call in reads}


def test_every_setting_of_the_server_is_documented_with_its_default_and_read() -> None:
    documented = {marked(row["Variable"])[0]: row["Default"] for row in _tables()["server"]}
    assert documented == server_settings()


def test_every_setting_of_the_worker_is_documented_and_read() -> None:
    reads = calls_of("worker/codetether_worker/config.py", "env.get")
    directly = {texts(call)[0] for call in reads if texts(call)}
    documented = {marked(row["Variable"])[0] for row in _tables()["worker"]}
    assert documented == {option.variable for option in OPTIONS.values()} | directly - THE_SYSTEMS_OWN


def test_the_workers_settings_have_the_documented_keys_flags_and_defaults() -> None:
    by_variable = {option.variable: option for option in OPTIONS.values()}
    for row in _tables()["worker"]:
        option = by_variable.get(marked(row["Variable"])[0])
        assert marked(row["File key"]) == ([option.key] if option else []), row
        assert marked(row["Flag"]) == ([option.flag] if option else []), row
        if option and option.metavar is None:
            assert row["Default"] == shown(False), row
        elif option and option.default is not None:
            assert row["Default"] == shown(option.default), row


def test_the_workers_own_page_has_the_same_table() -> None:
    table = marked_rows("worker/README.md", "| Flag | Variable |")
    assert {row[0]: row[1] for row in table if len(row) > 1} == {
        option.flag: option.variable for option in OPTIONS.values()
    }


def marked_rows(page: str, header: str) -> list[list[str]]:
    """What is marked in the rows of a page's table (flags without what follows them)."""
    lines = (ROOT / page).read_text().split(header)[1].split("\n\n")[0].splitlines()[2:]
    return [[name.split(" ")[0] for name in marked(line)] for line in lines]


def test_every_variable_about_opencode_is_documented() -> None:
    text = (ROOT / "docs" / PAGE).read_text()
    worker = "\n".join(source.text for source in sources(("worker/codetether_worker",)))
    variables = set(re.findall(r'"(OPENCODE_[A-Z_]+)"', worker))
    assert variables == set(re.findall(r"`(OPENCODE_[A-Z_]+)`", text))


def test_opencode_gets_the_documented_environment() -> None:
    given = opencode_environment({}, asks_first=True, max_steps=9) | Interface(1, "made anew").environment
    documented = {name: marked(row["Default"]) for row in _tables()["agents"] for name in marked(row["Variable"])}
    assert documented.keys() == given.keys()
    assert all(given[name] == default[0] for name, default in documented.items() if default)


def test_the_documented_variables_for_installing_are_read() -> None:
    script = (ROOT / "deploy/dev/python-env.sh").read_text()
    for row in _tables()["installing"]:
        assert f"${{{marked(row['Variable'])[0]}" in script


def _tables() -> dict[str, list[dict[str, str]]]:
    """The page's four tables, told apart by their columns, or by what they hold."""
    plain = rows(PAGE, "Variable", "Default", "Meaning")
    installing = [row for row in plain if marked(row["Variable"])[0] in ("PYTHON", "CODETETHER_VENV")]
    return {
        "server": [row for row in plain if row not in installing],
        "installing": installing,
        "worker": rows(PAGE, "Variable", "Flag", "File key", "Default"),
        "agents": rows(PAGE, "Variable", "Default", "Why"),
    }


def test_no_page_names_a_variable_that_nobody_reads() -> None:
    known = set(names(PAGE, "Variable")) | {"DJANGO_SETTINGS_MODULE", "OPENCODE_API_KEY", "OPENCODE_BIN"}
    pattern = re.compile(r"\b((?:A2A|CODETETHER|WORKER|MCP|OPENCODE)_[A-Z_]+)\b")
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "worker/README.md", ROOT / "CONTRIBUTING.md"]
    mentioned = {name for page in pages for name in pattern.findall(page.read_text())}
    assert {name for name in mentioned if not name.endswith("_")} <= known
