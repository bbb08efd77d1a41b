"""One file for each agent program; `base` is what they have in common."""
