"""Sessions that agent programs keep on a machine: found, read without disturbing anyone, and freed of secrets.

Shared by the worker, which tells the server of them, and the server, which shows those of its own machine. It needs
nothing but the standard library and imports nothing of either.
"""
