"""The OpenAPI description, read off the operations that the views declare."""

from typing import TYPE_CHECKING, Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from apps.rest.answers import Problem

if TYPE_CHECKING:
    from apps.rest.endpoint import Operation

ALIAS = "/v1/agent/"
OTHER_SPELLINGS = frozenset({"/agents", "/v1/opencode/codebases/list"})
REFUSALS = {"400": "malformed or invalid", "401": "no valid token", "403": "not allowed"}
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
        return {200: self.declared.answers, **dict.fromkeys(map(int, REFUSALS), Problem)}

    def get_override_parameters(self) -> list[Any]:
        """The query string, and the key that makes a POST safe to repeat."""
        if self.declared is None:
            return super().get_override_parameters()
        fields = self.declared.query.model_json_schema()["properties"] if self.declared.query else {}
        found = [OpenApiParameter(name, type=schema, location="query") for name, schema in fields.items()]
        if self.method == "POST":
            found.append(OpenApiParameter("Idempotency-Key", type=str, location="header"))
        return found

    def map_parsers(self) -> list[str]:
        return ["application/json"]

    def map_renderers(self, attribute: str) -> list[str]:
        return ["application/json"]

    def get_auth(self) -> list[dict[str, list[Any]]]:
        return [{"bearer": []}] if self.declared and not getattr(self.view, "is_open", False) else []
