"""What a tool gives, as a result of the SDK's: its structure, and the same as text for clients that know no other."""

from typing import Any

from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel

from apps.core import jsontext


class Metadata(FuncMetadata):
    """The SDK's own makes the text a second time from the model, with indentation, and checks the model once more."""

    def convert_result(self, result: Any) -> Any:
        """The text is the structure's JSON (MCP 2025-11-25, server/tools, structured content), as short as can be: it
        is read by models, which pay for blanks."""
        if not isinstance(result, BaseModel) or not isinstance(result, self.output_model):
            return super().convert_result(result)
        shown = result.model_dump(mode="json", by_alias=True)
        text = TextContent(type="text", text=jsontext.dumps(shown).decode())
        return CallToolResult(content=[text], structured_content=shown)


def metadata_of(found: FuncMetadata) -> Metadata:
    """The same, with results made as above."""
    return Metadata(
        arg_model=found.arg_model,
        output_schema=found.output_schema,
        output_model=found.output_model,
        wrap_output=found.wrap_output,
    )
