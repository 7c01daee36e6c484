"""`BasisSet`: the spectra of single metabolites that a fit combines."""

from mrsproc.basis.basis_set import BasisSet
from mrsproc.basis.comparison import Comparison, compare
from mrsproc.basis.names import BROAD_PREFIXES, SUMS, SYNONYMS

__all__ = ["BROAD_PREFIXES", "SUMS", "SYNONYMS", "BasisSet", "Comparison", "compare"]
