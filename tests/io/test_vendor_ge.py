"""GE P-files that the tests write themselves."""

import ctypes

import numpy as np
import pytest

from mrsproc.errors import DataWarning, FormatError
from mrsproc.io import vendor
from mrsproc.io.vendor import ge

POINTS, WIDTH, MEGAHERTZ = 256, 2000.0, 127.75


def naa_lines(count=1):
    """Lines at 2.0 ppm in the sign of mrsproc, each row twice as large as the one before."""
    time = np.arange(POINTS) / WIDTH
    line = np.exp((2j * np.pi * (4.65 - 2.0) * MEGAHERTZ - 12) * time)
    return 2.0 ** np.arange(count)[:, None] * line


def names_of(path):
    return [form.name for form in vendor.FORMATS if form.sniff(path)]


def write_pfile(path, n_coils=2, te=35000, tr=2_000_000):
    """A P-file of PROBE-P: two unsuppressed, four suppressed transients."""
    from spec2nii.GE.ge_hdr_fields import get_pfile_hdr_fields

    fields = {"_pack_": 1, "_fields_": get_pfile_hdr_fields(24.0)}
    header = type("Header", (ctypes.LittleEndianStructure,), fields)()
    transients, offset = 6, 157276
    values = {
        "rhr_rh_rdbm_rev": 24.0, "rhr_rh_logo": b"GE_MED_NMR", "rhr_rdb_hdr_off_data": offset,
        "rhr_rh_frame_size": POINTS, "rhr_rh_point_size": 4, "rhr_spectral_width": WIDTH,
        "rhr_rh_raw_pass_size": n_coils * (transients + 1) * POINTS * 8,
        "rhr_rh_dab[0]_start_rcv": 0, "rhr_rh_dab[0]_stop_rcv": n_coils - 1,
        "rhr_rh_ps_mps_freq": int(MEGAHERTZ * 1e7), "rhe_magstrength": 30000,
        "rhi_psdname": b"probe-p", "rhs_se_desc": b"PRESS", "rhe_patname": b"ROE JANE",
        "rhi_nex": 8.0, "rhi_user4": 32.0, "rhi_numecho": 1, "rhi_freq_dir": 1, "rhi_te": te,
        "rhi_tr": tr,
        "rhi_user8": 20.0, "rhi_user9": 20.0, "rhi_user10": 20.0,
        "rhi_trhc_R": 1.0, "rhi_brhc_A": 1.0,
    }  # fmt: skip
    for name, value in values.items():
        setattr(header, name, value)
    line = naa_lines()[0] * 1000
    block = np.stack(
        [np.zeros(POINTS)] + [line * (transient + 1) for transient in range(transients)]
    )
    data = np.stack([block * (coil + 1) for coil in range(n_coils)])
    words = np.stack([data.real, data.imag], axis=-1).round().astype("<i4").tobytes()
    path.write_bytes(bytes(header).ljust(offset, b"\0") + words)
    return path


def test_pfile_holds_metabolites_and_water(tmp_path):
    path = write_pfile(tmp_path / "P12345.7")
    assert names_of(path) == ["GE P-file"]
    with pytest.warns(DataWarning, match=r"'ref' \(2 coil x 2 transient x 256 time\)"):
        data = ge.load(path)
    assert data.sizes == {"coil": 2, "transient": 4, "time": POINTS}
    assert (data.acquisition.echo_time, data.acquisition.repetition_time) == (0.035, 2.0)
    assert data.acquisition.water_suppressed is True
    assert ge.parts(path)["ref"].acquisition.water_suppressed is False
    assert "PatientName" not in data.acquisition.extra


@pytest.mark.parametrize(("te", "tr"), [(35, 2000), (35_000_000, 2_000_000_000)])
def test_pfile_times_a_power_of_1000_off(tmp_path, te, tr):
    path = write_pfile(tmp_path / "P1.7", te=te, tr=tr)
    echo = pytest.warns(DataWarning, match="EchoTime .* a power of 1000 away")
    with pytest.warns(DataWarning, match="RepetitionTime .* a power of 1000 away"), echo:
        acquisition = ge.parts(path)["main"].acquisition
    assert (acquisition.echo_time, acquisition.repetition_time) == pytest.approx((0.035, 2.0))


def test_pfile_time_of_zero_is_unknown(tmp_path):
    with pytest.warns(DataWarning, match="EchoTime 0 s cannot be; taken as unknown"):
        parts = ge.parts(write_pfile(tmp_path / "P1.7", te=0))
    assert parts["main"].acquisition.echo_time is None


def test_pfile_cut_off(tmp_path):
    path = write_pfile(tmp_path / "P1.7")
    path.write_bytes(path.read_bytes()[:160000])
    with pytest.raises(FormatError, match="spec2nii cannot read this GE P-file file"):
        ge.load(path)
