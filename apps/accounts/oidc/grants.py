"""From what a provider says of a person (roles, groups) to what they may do here: the grammar of the two maps.

`OIDC_ROLE_MAP`: entries separated by commas, each `NAME=GRANT` or `NAME=GRANT+GRANT`. NAME is a role as the provider
spells it. GRANT is a role of ours (in the default workspace), `ROLE@WORKSPACE` (the workspace's slug), `staff` (opens
the console) or `superuser` (everything, everywhere).

`OIDC_GROUP_MAP`: the same for groups; NAME may hold `{workspace}` once, which stands for a slug, and roles without a
workspace of their own are then given in that one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from apps.accounts.permissions import Role

DEFAULT_WORKSPACE = "default"
STAFF, SUPERUSER = "staff", "superuser"
RANK = (Role.WORKER, Role.VIEWER, Role.OPERATOR, Role.ADMIN)
"""Where several entries give a role in the same workspace, the last of these counts."""
_SLUG = r"[-a-zA-Z0-9_]{1,50}"


@dataclass(frozen=True, slots=True)
class Grant:
    """One thing that an entry gives: `flag` (staff, superuser), or `role` in `workspace` (empty: where it fits)."""

    role: Role | None = None
    workspace: str = ""
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of a map."""

    name: re.Pattern[str]
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody may do here: roles by the workspace's slug, and the two flags."""

    roles: Mapping[str, Role] = field(default_factory=dict)
    is_staff: bool = False
    is_superuser: bool = False


def rules_of(setting: str, text: str) -> tuple[Rule, ...]:
    """The rules that `text` spells; ValueError, which names `setting`, for an entry that is none."""
    return tuple(_rule(setting, entry) for entry in filter(None, (part.strip() for part in text.split(","))))


def _rule(setting: str, entry: str) -> Rule:
    name, equals, grants = (part.strip() for part in entry.rpartition("="))
    if not (equals and name and grants) or name.count("{workspace}") > 1:
        raise ValueError(f"{setting}: {entry!r} is not NAME=GRANT.")
    pattern = re.escape(name).replace(re.escape("{workspace}"), f"(?P<workspace>{_SLUG})")
    return Rule(re.compile(pattern), tuple(_grant(setting, part.strip()) for part in grants.split("+")))


def _grant(setting: str, text: str) -> Grant:
    if text in (STAFF, SUPERUSER):
        return Grant(flag=text)
    role, at, workspace = text.partition("@")
    if role not in set(Role) or (at and not re.fullmatch(_SLUG, workspace)):
        raise ValueError(f"{setting}: {text!r} is none of {', '.join(Role)}, staff, superuser, ROLE@WORKSPACE.")
    return Grant(role=Role(role), workspace=workspace)


def access_by(rules: Iterable[Rule], names: Iterable[str]) -> Access:
    """What `names` are given by `rules`; names that no rule knows give nothing."""
    known = frozenset(names)
    roles: dict[str, Role] = {}
    flags: set[str] = set()
    for rule in rules:
        for matched in filter(None, map(rule.name.fullmatch, known)):
            for grant in rule.grants:
                if grant.role is None:
                    flags.add(grant.flag)
                else:
                    where = grant.workspace or matched.groupdict().get("workspace") or DEFAULT_WORKSPACE
                    roles[where] = higher(roles.get(where), grant.role)
    return Access(roles, is_staff=bool(flags), is_superuser=SUPERUSER in flags)


def joined(one: Access, other: Access) -> Access:
    """What either gives."""
    roles = dict(one.roles)
    for workspace, role in other.roles.items():
        roles[workspace] = higher(roles.get(workspace), role)
    return Access(roles, one.is_staff or other.is_staff, one.is_superuser or other.is_superuser)


def higher(one: Role | None, other: Role) -> Role:
    return other if one is None or RANK.index(other) > RANK.index(one) else one
