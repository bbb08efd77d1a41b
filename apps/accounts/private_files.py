"""Files that hold secrets: nobody but their owner reads them, not for a moment either."""

from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600, in place of one that may be there, in a folder that is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
