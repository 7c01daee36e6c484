"""Reports as one HTML file each, from results and tables; nothing is computed here anew."""

from mrsproc.reporting.making import report

__all__ = ["report"]
