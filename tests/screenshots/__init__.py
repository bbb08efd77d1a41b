"""Pictures of the console's pages, for the documentation and for people's eyes: `make screenshots`."""
