"""The name of our A2A extension: the key of what we say in A2A metadata beyond the protocol."""

EXTENSION = "https://codetether.run/a2a/extensions/task/v1"
"""Under it stand where a task runs, as what, why it waits and what it used; and how often it was passed on."""
