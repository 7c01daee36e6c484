"""The command line: thin, and the only place that prints."""

from mrsproc.cli.app import app

__all__ = ["app"]
