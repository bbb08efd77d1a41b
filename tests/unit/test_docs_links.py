"""The pages hang together: links lead somewhere, all pages can be found, and the site builds without a warning."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.documents import DOCS, ROOT

PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "worker" / "README.md"])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def in_navigation(entries: Any) -> set[str]:
    if isinstance(entries, str):
        return {entries}
    values = entries.values() if isinstance(entries, dict) else entries
    return {page for entry in values for page in in_navigation(entry)}


def test_every_page_is_in_the_navigation() -> None:
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    assert in_navigation(navigation) == {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    program = Path(sys.executable).with_name("zensical")
    build = subprocess.run([program, "build", "--strict"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stdout + build.stderr
    assert (tmp_path / "site" / "index.html").is_file()


def test_the_pages_need_no_network() -> None:
    """The theme's own files are part of the build, and nothing is fetched from elsewhere."""
    assert yaml.safe_load((ROOT / "mkdocs.yml").read_text())["theme"]["font"] is False


def test_every_file_that_a_page_names_is_there() -> None:
    """Paths of the repository between backticks, such as `apps/tasks/states.py` or `docs/decisions/`."""
    ours = re.compile(r"`((?:apps|codetether|deploy|docs|requirements|tests|worker)/[\w./-]+)`")
    named = {(page.name, path) for page in PAGES for path in ours.findall(page.read_text())}
    assert not {(page, path) for page, path in named if not (ROOT / path).exists()}
