"""The worker daemon of CodeTether: claims tasks over HTTP and runs agent programs for them."""

__version__ = "0.1.0"
