"""Row-level security (PostgreSQL, "Row Security Policies"): every table with a workspace shows only the acting one's.

`build` makes what is missing after each migration, so that a new table cannot be forgotten: the role that all
statements but migrations run as, what it may do, and a policy for each table that holds a workspace's rows.
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps
from django.core.management import CommandError
from django.db import ProgrammingError
from django.db.models import Model
from psycopg.errors import InsufficientPrivilege

from apps.core.tenancy import APP_ROLE, SETTING

POLICY = "of_acting_workspace"
OWNER_POLICY = "of_owner"
"""The owner, who migrates and is who an operator is in `psql`, sees all. Nobody acts as the owner in a request."""
OPEN = frozenset({"accounts_invitation", "accounts_loginsession", "accounts_membership"})
"""Tables that say in which workspaces somebody is or may be: they are asked before it is known for which he acts."""

_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
        CREATE ROLE {APP_ROLE} NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER') THEN
        GRANT {APP_ROLE} TO CURRENT_USER;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database's migration was first
END $$"""
_REMEDY = (
    f"The database's user may not make the role {APP_ROLE}. As a superuser, run once: "
    f"CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO {{user}};"
)

_GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {APP_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {APP_ROLE}"""

_ACTING = f"(SELECT current_setting('{SETTING}', true))"
_SEES = (
    f"({_ACTING} = '*' OR {{workspace}} = ANY ((SELECT string_to_array("
    f"nullif(current_setting('{SETTING}', true), '*'), ','))::uuid[]))"
)
_OF_PARENT = "(EXISTS (SELECT FROM {parent} p WHERE p.{key} = {column}))"

_STATE = f"""
SELECT c.relname, has_table_privilege('{APP_ROLE}', c.oid, 'INSERT'),
    c.relrowsecurity AND c.relforcerowsecurity
        AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = '{POLICY}')
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"""


def tenant_tables() -> Iterator[tuple[str, str]]:
    """Every table that holds rows of workspaces, with the condition under which a row may be seen and written.

    A table without a workspace of its own that belongs to one which has names it in `row_security_parent`: its
    foreign key's name.
    """
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy or model._meta.db_table in OPEN:
            continue
        if (condition := _condition(model)) is not None:
            yield model._meta.db_table, condition


def _condition(model: type[Model]) -> str | None:
    columns = {field.attname: field.column for field in model._meta.concrete_fields}
    if "workspace_id" in columns:
        return _SEES.format(workspace=columns["workspace_id"])
    through = getattr(model, "row_security_parent", None)
    if through is None:
        return None
    field: Any = model._meta.get_field(through)
    parent, column = field.related_model._meta, f"{model._meta.db_table}.{field.column}"
    return _OF_PARENT.format(parent=parent.db_table, key=parent.pk.column, column=column)


def build(connection: Any) -> None:
    """Make the role, its rights and the policies that are missing. Runs as the owner of the tables."""
    with connection.cursor() as cursor:
        _make_role(cursor, connection.settings_dict["USER"])
        cursor.execute(_STATE)
        tables = cursor.fetchall()
        if not all(is_granted for _, is_granted, _ in tables):
            cursor.execute(_GRANTS)
            for table in _append_only():
                cursor.execute(f'REVOKE UPDATE, DELETE ON "{table}" FROM {APP_ROLE}')
        for statement in _walls({name for name, _, is_walled in tables if not is_walled}):
            cursor.execute(statement)


def _make_role(cursor: Any, user: str) -> None:
    """Raises CommandError, with what to do, where the database's user may not."""
    try:
        cursor.execute(_ROLE)
    except ProgrammingError as error:
        if isinstance(error.__cause__, InsufficientPrivilege):
            raise CommandError(_REMEDY.format(user=user)) from error
        raise


def _append_only() -> Iterator[str]:
    """Tables whose rows nobody changes or removes: those of models that say `append_only`."""
    return (model._meta.db_table for model in apps.get_models() if getattr(model, "append_only", False))


def _walls(open_tables: Collection[str]) -> Iterator[str]:
    for table, condition in tenant_tables():
        if table in open_tables:
            yield f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'
            yield f'DROP POLICY IF EXISTS {POLICY} ON "{table}"'
            yield f'CREATE POLICY {POLICY} ON "{table}" TO {APP_ROLE} USING {condition} WITH CHECK {condition}'
            yield f'DROP POLICY IF EXISTS {OWNER_POLICY} ON "{table}"'
            yield f'CREATE POLICY {OWNER_POLICY} ON "{table}" TO CURRENT_USER USING (true) WITH CHECK (true)'
