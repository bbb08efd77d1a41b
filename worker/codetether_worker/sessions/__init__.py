"""Sessions that agent programs keep on this machine: found, read without disturbing anyone, and told to the server."""
