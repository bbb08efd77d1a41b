"""Git worktrees in which tasks work side by side: made, settled, merged, discarded, and kept account of."""
