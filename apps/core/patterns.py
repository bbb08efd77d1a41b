"""Patterns for ILIKE that find words as they stand, whatever stands in them."""

_JSON_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t", "\r": r"\r"})
_LIKE_ESCAPES = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def holding(words: str) -> str:
    """For a text that holds the words."""
    return f"%{words.translate(_LIKE_ESCAPES)}%"


def holding_in_json(words: str) -> str:
    """For JSON, as a text, in whose strings or names they may stand."""
    return holding(words.translate(_JSON_ESCAPES))
