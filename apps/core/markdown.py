"""What agents write, as HTML that cannot harm: CommonMark and tables, no HTML of theirs, no images.

An image would be fetched from wherever the agent says, which tells its host who reads; so it stays the text it is.
"""

from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict


def _link_open(self: RendererHTML, tokens: list[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """Opened beside the console, and told nothing of where it comes from."""
    tokens[at].attrSet("rel", "noopener noreferrer nofollow")
    tokens[at].attrSet("target", "_blank")
    tokens[at].attrSet("class", "ct-link")
    return self.renderToken(tokens, at, options, env)


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True})
    reader.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    reader.add_render_rule("link_open", _link_open)
    return reader


_READER = _reader()


def rendered(text: str) -> SafeString:
    """Safe HTML of a text in markdown. Links that run something (`javascript:` and its like) stay text."""
    return SafeString(_READER.render(text))
