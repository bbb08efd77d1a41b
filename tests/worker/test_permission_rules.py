"""Permission rules: what they fit, and above all what they do not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_worker.agents.edit_diffs import LONGEST, asked_diff
from codetether_worker.agents.permission_rules import Policy, Wish
from codetether_worker.agents.shell_words import is_simple, parts

FOLDER = Path("/code/shop")


def run(command: str) -> Wish:
    return Wish.of({"kind": "execute", "rawInput": {"command": command}}, FOLDER)


def edit(*paths: str, kind: str = "edit", folder: Path = FOLDER) -> Wish:
    return Wish.of({"kind": kind, "locations": [{"path": path} for path in paths]}, folder)


def allows(rule: str, wish: Wish, folder: Path = FOLDER) -> bool:
    return Policy.of([rule], [], folder).allowing(wish) is not None


def denies(rule: str, wish: Wish, folder: Path = FOLDER) -> bool:
    return Policy.of([], [rule], folder).denying(wish) is not None


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("bash:git *", "git status"),
        ("bash:git *", "git"),
        ("execute:git *", "git commit -m 'a; b && $c `d`'"),
        ("bash:git *", 'git commit -m "two\nlines; no command"'),
        ("bash:make test", "make test"),
        ("shell:npm run ?", "npm run x"),
        ("bash", "rm -rf / ; anything"),
        ("*", "anything"),
    ],
)
def test_an_allowed_command(rule: str, command: str) -> None:
    assert allows(rule, run(command))


@pytest.mark.parametrize(
    "command",
    [
        "git status; rm -rf /", "git status && rm -rf /", "git status || rm x", "git status | sh", "git status & rm x",
        "git status\nrm -rf /", "git log > ~/.bashrc", "git log $(rm x)", "git log `rm x`", 'git log "$(rm x)"',
        'git log "`rm x`"', "git $X", "git log \\; rm", "(git status)", "{ git status; }", "git log <(rm x)",
        "git 'a' ; rm x", "git 'unended", 'git "unended', "gitx", "GIT_PAGER=evil git log", " ; git status", "",
        "git # \nrm x", "git ${IFS}x", "git a\rrm x",
    ],
)  # fmt: skip
def test_a_command_that_may_run_another_is_not_allowed(command: str) -> None:
    assert not allows("bash:git *", run(command))


SAFE = st.text("abc -./=:,@%+'\"\n\t", max_size=30)
JOINTS = st.sampled_from([";", "&&", "||", "|", "&", "\n", "$(", "`", "> x;", "<(", "\r", "{", "\\"])


@given(head=SAFE, joint=JOINTS, tail=SAFE)
def test_no_text_with_a_joint_outside_of_quotes_is_simple(head: str, joint: str, tail: str) -> None:
    command = f"git {head.replace(chr(39), '').replace(chr(34), '')}{joint}{tail}"
    assert not is_simple(command)


@given(st.text("git ;&|$`()<>{}\\'\"\n#!x", max_size=25))
def test_a_shell_finds_one_command_in_what_is_simple(text: str) -> None:
    """Told by a real shell: with `run` in front, whatever is simple calls it once and nothing else."""
    command = f"run {text}"
    if not is_simple(command):
        return
    script = "n=0\nrun() { n=$((n+1)); }\n" + command + "\necho =$n"
    done = subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("=1\n", "")


@pytest.mark.parametrize(
    "command",
    [
        "git push", "git  push origin", "git\tpush", "cd /x && git push -f", "sudo git push", "env A=b git push",
        "A=b git push", "sh -c 'git push'", 'bash -lc "cd x; git push"', "echo $(git push)", "`git push`",
        "/usr/bin/git push",
        "true; timeout -s 9 5 git push", "if true; then git push; fi", "'git' \"push\"", "g\\it push",
        "nohup git push &",
        "git 'push",
    ],
)  # fmt: skip
def test_a_denied_command_is_found_wherever_it_is(command: str) -> None:
    assert denies("bash:git push*", run(command))


@pytest.mark.parametrize("command", ["git status", "echo pushed", "git commit -m 'git push later'"])
def test_another_command_is_not_denied(command: str) -> None:
    assert not denies("bash:git push*", run(command))


def test_a_command_that_is_not_told_is_denied_rather_than_allowed() -> None:
    unknown = Wish(kind="execute")
    assert denies("bash:rm *", unknown)
    assert not allows("bash:*", unknown)
    assert list(parts("")) == []


@pytest.mark.parametrize(
    ("rule", "path", "fits"),
    [
        ("edit:docs/**", "docs/a.md", True),
        ("edit:docs/**", "docs/a/b/c.md", True),
        ("edit:docs/**", "src/docs/a.md", False),
        ("edit:docs/*", "docs/a/b.md", False),
        ("edit:**/.env", ".env", True),
        ("edit:**/.env", "a/b/.env", True),
        ("edit:*.md", "README.md", True),
        ("write:*.md", "docs/README.md", False),
        ("edit:docs/**", "docs/../secret", False),
        ("edit:docs/**", "/etc/passwd", False),
        ("edit:**", "/etc/passwd", False),
        ("edit:**", "../other/x", False),
        ("edit:/etc/**", "/etc/passwd", True),
        ("edit:[a].md", "[a].md", True),
        ("edit:[a].md", "a.md", False),
        ("read:docs/**", "docs/a.md", False),
        ("*:docs/**", "docs/a.md", True),
    ],
)
def test_paths(rule: str, path: str, fits: bool) -> None:
    assert allows(rule, edit(path)) is fits
    assert denies(rule, edit(path)) is fits


def test_all_paths_must_be_allowed_and_none_denied() -> None:
    both = edit("docs/a.md", "src/b.py")
    assert not allows("edit:docs/**", both)
    assert denies("edit:docs/**", both)
    assert not allows("edit:docs/**", Wish(kind="edit"))
    assert denies("edit:docs/**", Wish(kind="edit"))


def test_links_are_followed(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "out").symlink_to(tmp_path)
    (folder / "notes").symlink_to(folder / "docs")
    assert not allows("edit:docs/**", edit("docs/out/x", folder=folder), folder)
    assert allows("edit:docs/**", edit("notes/x", folder=folder), folder)
    assert denies("edit:notes/**", edit("notes/x", folder=folder), folder)
    assert denies("edit:docs/**", edit("notes/x", folder=folder), folder)


def test_deny_wins_over_allow() -> None:
    policy = Policy.of(["edit"], ["edit:**/.env"], FOLDER)
    assert policy.allowing(edit("a.py")) is not None
    assert policy.allowing(edit(".env")) is None


def test_a_tool_by_its_own_name_and_an_address() -> None:
    fetch = Wish.of({"kind": "fetch", "rawInput": {"url": "https://example.org/a?b"}}, FOLDER)
    assert allows("webfetch:https://example.org/*", fetch)
    assert not allows("fetch:https://example.com/*", fetch)
    assert allows("deploy", Wish(kind="other", tool="deploy"))
    assert not allows("deploy", Wish(kind="other", tool="destroy"))


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["bash", "-lc", "git status; rm x"], "git status; rm x"),
        (["git", "commit", "-m", "a b"], "git commit -m 'a b'"),
    ],
)
def test_a_command_in_words_is_read_as_a_shell_would(words: list[str], command: str) -> None:
    assert Wish.of({"kind": "execute", "rawInput": {"command": words}}, FOLDER).command == command


@given(path=st.text("ab/.*", max_size=40), pattern=st.text("ab/.*?", max_size=40))
def test_matching_ends_whatever_is_asked(path: str, pattern: str) -> None:
    rule = f"edit:{pattern}"
    if allows(rule, edit(path)):
        assert denies(rule, edit(path))  # what is allowed strictly is also denied broadly


def test_a_long_diff_is_cut_with_a_marker() -> None:
    long = {"content": [{"type": "diff", "path": "a", "oldText": "", "newText": "x" * 100 + "\n" * 30_000}]}
    assert "30001" in asked_diff(long) or len(asked_diff(long)) <= LONGEST + 100
    many = {"content": [{"type": "diff", "path": "a", "oldText": "", "newText": "line of text\n" * 4000}]}
    assert "more characters]" in asked_diff(many)
    assert asked_diff({"rawInput": {"diff": "--- a\n+++ b\n"}}) == "--- a\n+++ b\n"
