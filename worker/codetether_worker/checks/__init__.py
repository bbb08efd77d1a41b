"""What `codetether-worker --check` looks at."""
