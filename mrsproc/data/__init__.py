"""Recordings: `Acquisition` (how), `MRSData` (what) and `Step` (what was done to it)."""

from mrsproc.data.acquisition import Acquisition, Step
from mrsproc.data.record import Record
from mrsproc.data.recording import MRSData

__all__ = ["Acquisition", "MRSData", "Record", "Step"]
