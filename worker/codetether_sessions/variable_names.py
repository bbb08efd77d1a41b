"""Names of environment variables that may be set for agents from outside, for the server and the worker alike.

A worker hands agent programs its own environment, and what its server says on top. What decides which programs run,
what they load before they begin, where they keep their sessions and what they may do without asking stays the
machine's own.
"""

from __future__ import annotations

import re

NAME_LENGTH = 128
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

REFUSED = frozenset(
    "PATH HOME USER LOGNAME SHELL PWD OLDPWD TMPDIR TMP TEMP IFS ENV BASH_ENV BASHOPTS SHELLOPTS PS4 CDPATH "
    "PROMPT_COMMAND EDITOR VISUAL PAGER HOSTALIASES "
    "NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS BUN_OPTIONS BUN_INSPECT_PRELOAD PYTHONSTARTUP PYTHONHOME PERL5OPT "
    "PERL5LIB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS "
    "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_SSH GIT_SSH_COMMAND GIT_PROXY_COMMAND "
    "GIT_EXTERNAL_DIFF GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_PAGER GIT_ASKPASS SSH_ASKPASS SSH_AUTH_SOCK "
    "OPENCODE_PERMISSION CODEX_HOME CODEX_PATH CLAUDE_CONFIG_DIR CLAUDE_CODE_EXECUTABLE GEMINI_CLI_HOME IS_SANDBOX "
    "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR".split()
)
REFUSED_PREFIXES = ("A2A_", "CODETETHER_", "LD_", "DYLD_", "XDG_", "GIT_CONFIG", "BASH_FUNC_", "MALLOC_", "GLIBC_")


def refusal_of(name: str) -> str | None:
    """Why nobody may set a variable of this name, in words; None where they may. Case does not make another one."""
    if len(name) > NAME_LENGTH or not NAME.fullmatch(name):
        return f"Give letters, digits and _, not beginning with a digit, at most {NAME_LENGTH}."
    folded = name.upper()
    if folded in REFUSED or folded.startswith(REFUSED_PREFIXES):
        return "This one is the worker machine's own; choose another name."
    return None
