"""Every command, option, make target, management command and job is documented, and every documented one exists."""

import argparse
import re
import subprocess
import tomllib

from django.conf import settings
from django.core.management import get_commands

from codetether.cli import _parser
from codetether_worker.cli import build_parser
from tests.architecture.sources import sources
from tests.unit.documents import ROOT, marked, names, rows

PAGE = "reference/commands.md"
HELP = {"-h", "--help"}


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings} - HELP


def subcommands() -> dict[str, argparse.ArgumentParser]:
    actions = [action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(actions[0].choices)


def test_every_subcommand_is_documented_and_exists() -> None:
    documented = {name for name in names(PAGE, "Command") if name.startswith("codetether ")}
    assert documented == {f"codetether {name}" for name in subcommands()}


def test_every_option_of_codetether_is_documented_where_it_exists() -> None:
    existing = {(option, name) for name, parser in subcommands().items() for option in options_of(parser)}
    existing |= {(option, "") for option in options_of(_parser())}
    table = rows(PAGE, "Option", "Of")
    documented = {(marked(row["Option"])[0], name) for row in table for name in marked(row["Of"]) or [""]}
    assert documented == existing


def test_every_option_of_the_worker_is_documented_and_exists() -> None:
    table = [row for row in rows(PAGE, "Option") if "Of" not in row]
    assert {option for row in table for option in marked(row["Option"])} == options_of(build_parser())


def test_every_command_of_the_worker_is_documented_and_exists() -> None:
    documented = {name for name in names(PAGE, "Command") if name.startswith("codetether-worker")}
    (command,) = [action for action in build_parser()._actions if action.dest == "command"]
    assert documented == {"codetether-worker"} | {f"codetether-worker {name}" for name in command.choices or ()}


def test_every_line_of_a_check_is_documented_and_exists() -> None:
    areas: set[str] = set()
    for source in sources(("worker/codetether_worker/checks",)):
        areas |= set(re.findall(r'(?:ok|warn|fail|_space)\("([^"]+)"', source.text))
        areas |= {f"{area} NAME" for area in re.findall(r'area(?:, \w+)? = f"(\w+) ', source.text)}
    assert areas == set(names(PAGE, "Line"))


def test_every_console_script_has_its_section() -> None:
    scripts = set()
    for project in ("pyproject.toml", "worker/pyproject.toml"):
        scripts |= tomllib.loads((ROOT / project).read_text())["project"]["scripts"].keys()
    text = (ROOT / "docs" / PAGE).read_text()
    assert scripts == {name for name in scripts if f"`{name}`" in text or f"## {name}\n" in text}


def test_every_management_command_of_ours_is_documented_and_exists() -> None:
    ours = {name for name, app in get_commands().items() if str(app).startswith("apps.")}
    documented = {name for name in names(PAGE, "Command") if name.startswith("manage.py ")}
    assert documented == {f"manage.py {name}" for name in ours}


def test_every_make_target_is_documented_and_exists() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert names(PAGE, "Target") == re.findall(r"^  (make [\w-]+)", shown, re.M)


def test_every_job_is_documented_with_its_interval() -> None:
    existing = {job["task"]: job["schedule"] for job in settings.CELERY_BEAT_SCHEDULE.values()}
    table = rows(PAGE, "Job", "Every")
    assert {marked(row["Job"])[0]: float(row["Every"].removesuffix(" s")) for row in table} == existing


def test_the_pages_name_no_make_target_that_is_not_there() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    mentioned = {name for page in pages for name in re.findall(r"`(make [a-z-]+)", page.read_text())}
    assert mentioned <= set(names(PAGE, "Target"))
