"""`codetether up` and `run`: one process that starts the parts, watches them and stops them in order."""
