"""CodeTether: AI coding agents as a service that you run yourself."""

__version__ = "0.1.0"
