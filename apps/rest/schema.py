"""The OpenAPI description, read off the operations that the views declare."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from apps.accounts.idempotency import KEY_LIMIT
from apps.rest.answers import Problem

if TYPE_CHECKING:
    from apps.rest.endpoint import Operation
    from apps.rest.reading import Query

ALIAS = "/v1/agent/"
OTHER_SPELLINGS = frozenset({"/agents", "/v1/opencode/codebases/list"})
REFUSALS = (400, 401, 403, 429, 503)
"""What may become of any call: malformed or invalid, no valid token, not allowed, too many calls, not now."""
OF_WHAT_IS_NAMED = 404
"""Where the address, the query or the body names something: there is no such thing (for the caller)."""
OF_WRITES = (409, 410, 413, 415, 422)
"""It does not fit what is there, has gone, is too large, is no JSON, or contradicts something."""
BEARER = {"type": "http", "scheme": "bearer", "description": "An API token: `Authorization: Bearer TOKEN`."}
PAGE_SETTINGS = {
    "PREPROCESSING_HOOKS": ["apps.rest.schema.each_once"],
    "APPEND_COMPONENTS": {"securitySchemes": {"bearer": BEARER}},
}


def each_once(endpoints: list[tuple[Any, ...]], **kwargs: Any) -> list[tuple[Any, ...]]:
    """Leave out second spellings: `/v1/agent/…` serves the same as `/v1/opencode/…`."""
    return [
        endpoint for endpoint in endpoints if not endpoint[0].startswith(ALIAS) and endpoint[0] not in OTHER_SPELLINGS
    ]


class Schema(AutoSchema):
    """Describes an `Endpoint` by its operations, and any other view as the library does."""

    @property
    def declared(self) -> "Operation | None":
        found: Operation | None = getattr(self.view, "operations", {}).get(self.method)
        return found

    def get_operation_id(self) -> str:
        """`codebases_Codebases_get`: module, view and method; and by which of its further addresses."""
        module = type(self.view).__module__.rpartition(".")[2]
        ways = {
            "_agent": self.path.startswith("/v1/agent/"),
            "_root": not self.path.startswith("/v1/"),
            "_list": self.path.endswith("/list"),
        }
        further = "".join(name for name, is_so in ways.items() if is_so)
        return f"{module}_{type(self.view).__name__}_{self.method.lower()}{further}"

    def get_tags(self) -> list[str]:
        """The first part of the path after the prefix."""
        parts = self.path.strip("/").split("/")
        return [parts[2] if parts[1:2] == ["opencode"] and len(parts) > 2 else parts[1] if parts[1:] else parts[0]]

    def get_request_serializer(self) -> Any:
        if self.declared is None or not self.declared.takes_body:
            return None
        return self.declared.body

    def get_response_serializers(self) -> Any:
        if self.declared is None:
            return super().get_response_serializers()
        refusals = dict.fromkeys(self._refusals(self.declared), Problem)
        return {(200, self.declared.media_type): self.declared.answers, **refusals}

    def _refusals(self, declared: "Operation") -> tuple[int, ...]:
        names = "{" in self.path or declared.takes_body or declared.query is not None
        return (*REFUSALS, *((OF_WHAT_IS_NAMED,) if names else ()), *(OF_WRITES if self.method != "GET" else ()))

    def get_override_parameters(self) -> list[Any]:
        """The query string, and the key that makes a POST safe to repeat."""
        if self.declared is None:
            return super().get_override_parameters()
        found = list(_parameters(self.declared.query)) if self.declared.query else []
        if self.method == "POST" and not getattr(self.view, "is_open", False):
            key = {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT}
            found.append(OpenApiParameter("Idempotency-Key", type=key, location="header"))
        return found

    def map_parsers(self) -> list[str]:
        return ["application/json"]

    def map_renderers(self, attribute: str) -> list[str]:
        return ["application/json"]

    def get_auth(self) -> list[dict[str, list[Any]]]:
        return [{"bearer": []}] if self.declared and not getattr(self.view, "is_open", False) else []


def _parameters(query: type["Query"]) -> Iterator[OpenApiParameter]:
    """Each parameter of the query string, with what it refers to in place; none of them can be null there."""
    said = query.model_json_schema()
    for name, schema in said["properties"].items():
        kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
        for kind in kinds:
            schema |= said["$defs"][kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind
        if schema.get("default", "") is None:
            del schema["default"]
        is_needed = name in said.get("required", [])
        if "enum" in schema and not is_needed:
            schema["enum"] = list(dict.fromkeys([*schema["enum"], ""]))  # an empty text is as good as leaving it out
        yield OpenApiParameter(name, type=schema, location="query", required=is_needed)
