"""Shapes of responses in time, as declared values."""

from mrsproc.responses.base import Constant, Response, Unknown
from mrsproc.responses.designs import Boxcar, Custom, Design, FreeBins, Polynomial, Samples
from mrsproc.responses.infusion import Infusion, PlasmaResponse
from mrsproc.responses.kinetics import KETAMINE, Kinetics
from mrsproc.responses.shapes import Gamma, RiseDecay, Sigmoid
from mrsproc.responses.smooth import Smooth

__all__ = [
    "KETAMINE",
    "Boxcar",
    "Constant",
    "Custom",
    "Design",
    "FreeBins",
    "Gamma",
    "Infusion",
    "Kinetics",
    "PlasmaResponse",
    "Polynomial",
    "Response",
    "RiseDecay",
    "Samples",
    "Sigmoid",
    "Smooth",
    "Unknown",
]
