"""Files of the scanners' makers, read through spec2nii.

`FORMATS` is what the registry goes through, in this order. Varian and jMRUI have their own modules.
"""

from typing import Final

from mrsproc.io.formats import Format
from mrsproc.io.vendor import bruker, ge, philips, siemens

FORMATS: Final[tuple[Format, ...]] = (
    Format("DICOM", siemens.sniff_dicom, siemens.load_dicom, siemens.dicom_parts),
    Format("Siemens RDA", siemens.sniff_rda, siemens.load_rda),
    Format("GE P-file", ge.sniff, ge.load, ge.parts),
    Format("Siemens twix", siemens.sniff_twix, siemens.load_twix, siemens.twix_parts),
    Format("Bruker", bruker.sniff, bruker.load, bruker.parts),
    Format(
        "Philips data/list",
        philips.sniff_data_list,
        philips.load_data_list,
        philips.data_list_parts,
    ),
    Format("Philips SDAT/SPAR", philips.sniff_sdat, philips.load_sdat, philips.sdat_parts),
)
