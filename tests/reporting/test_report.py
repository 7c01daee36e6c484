"""The session report: what it shows, what it leaves out, and what never gets in."""

import base64
import dataclasses
import json
import re
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.errors import InvalidInputError, MissingPackageError
from mrsproc.reporting import figures, words
from mrsproc.reporting.page import with_sd
from mrsproc.reporting.parts import Session


def without_scripts(path):
    """Return the text of the page without plotly's program and the numbers."""
    return re.sub(r"<script.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


class Addresses(HTMLParser):
    """Collects every address that the elements of a page name."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in {"src", "href", "action", "data"}]


def payload_of(path):
    found = re.search(
        r'<script type="application/json" id="payload">(.*?)</script>',
        path.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    return json.loads(found[1])


def test_one_file_of_a_modest_size(page):
    assert [entry.name for entry in page.parent.iterdir()] == ["session.html"]
    assert page.stat().st_size < 8e6
    parser = Addresses()
    parser.feed(page.read_text(encoding="utf-8"))
    assert parser.found == ["#main"]
    assert "default-src 'none'" in without_scripts(page)


def test_every_part_is_there(page, session):
    text = without_scripts(page)
    for heading in ("What wants attention", "Spectra", "Quality over time", "Fit", "Time course",
                    "Glutamate and glutamine", "Methods", "Minimum reporting standards",
                    "Provenance"):  # fmt: skip
        assert re.search(f"<h2[^>]*>{heading}", text), heading
    assert "11 of 12" in text
    assert "Not part of this report" not in text
    amplitude, sd = session.fit.estimate("Glx")
    assert with_sd(float(amplitude), float(sd)) in text
    assert "10.1002/nbm.4484" in text
    assert "not in the data: please fill in" in text
    assert "TR 60000 ms, TE 35 ms" in text


def test_absent_parts_are_left_out_and_said(session, tmp_path):
    mp.report(tmp_path / "fit.html", fit=session.fit)
    text = without_scripts(tmp_path / "fit.html")
    wanted = "because it was not given: the raw recording, preprocessing, a fit over time."
    assert wanted in text
    assert "Quality over time" not in text
    assert "Time course" not in text
    assert payload_of(tmp_path / "fit.html")["spectra"] is None


def test_names_dates_and_paths_never_reach_the_page(page):
    text = page.read_text(encoding="utf-8")
    for secret in ("Erika", "Mustermann", "19590312", "ID-4711", "scan.dat", "/home/"):
        assert secret not in text, secret


def test_what_a_header_holds_is_text(page):
    text = page.read_text(encoding="utf-8")
    assert "<script>document.title" not in text
    assert "<img" not in without_scripts(page)
    assert "&lt;script&gt;document.title" in text
    assert "Maker &amp; Sons" in text
    reasons = payload_of(page)["figures"]["quality"]["data"][1]["text"]
    assert all("<" not in reason for reason in reasons)


def test_names_of_a_basis_set_are_text(session, tmp_path):
    evil = "<a href='javascript:alert(1)'>Glu</a>"
    names = tuple(evil if name == "Tau" else name for name in session.fit.names)
    fit = dataclasses.replace(session.fit, names=names)
    mp.report(tmp_path / "x.html", fit=fit)
    assert "<a href='javascript" not in (tmp_path / "x.html").read_text(encoding="utf-8")
    figure = payload_of(tmp_path / "x.html")["figures"]["fit"]
    drawn = [trace["name"] for trace in figure["data"]]
    assert not any("<" in name for name in drawn)
    assert not any("<" in note["text"] for note in figure["layout"]["annotations"])


def unpacked(packed):
    return np.frombuffer(base64.b64decode(packed["bdata"]), "<f4")


def test_fit_is_drawn_as_fitted(page, session):
    figure = payload_of(page)["figures"]["fit"]
    traces = {trace["name"]: trace for trace in figure["data"]}
    assert np.allclose(unpacked(traces["fit"]["y"]), session.fit.fitted, rtol=1e-5)
    assert np.allclose(unpacked(traces["data"]["x"]), session.fit.ppm, rtol=1e-6)
    low, high = figure["layout"]["xaxis"]["range"][::-1]
    assert low < high
    shown = [note["text"] for note in figure["layout"]["annotations"]]
    assert {"NAA", "Glu", "MM09"} <= set(shown)


def test_spectra_before_and_after(page, session):
    spectra = payload_of(page)["spectra"]
    assert spectra["count"] == len(spectra["labels"]) == 12
    stack = np.frombuffer(base64.b64decode(spectra["after"]), "<i2").reshape(12, -1)
    ppm = unpacked(spectra["ppm"])
    assert stack.shape == (12, spectra["points"])
    assert ppm[np.argmax(stack.mean(axis=0))] == pytest.approx(2.008, abs=0.02)
    assert spectra["low"] < 0 < spectra["high"]
    assert "left out (moved" in spectra["labels"][3]
    assert "-5.0 min" in spectra["labels"][0]  # the infusion starts at 5 min


def test_many_spectra_become_means(session):
    fid = np.tile(session.raw.fid, (40, 1))
    data = mp.MRSData(fid=fid, dims=("transient", "time"), acquisition=session.raw.acquisition)
    shown = figures.spectra(Session(data, None, None, None, None, None))
    assert shown["count"] == 240
    assert shown["labels"][0] == "mean of 1 to 2 of 480"


def test_infusion_is_shaded_and_the_lost_are_marked(page):
    quality = payload_of(page)["figures"]["quality"]
    shape = quality["layout"]["shapes"][0]
    assert (shape["x0"], shape["x1"]) == (0.0, 4.0)
    lost = quality["data"][1]
    assert unpacked(lost["x"]).tolist() == pytest.approx([-2.0])
    assert lost["text"][0].startswith("moved")
    assert "infusion" in quality["layout"]["xaxis"]["title"]["text"]


def test_time_course_band(page):
    courses = payload_of(page)["choices"]["course"]
    assert set(courses) == {"Glx", "Glu", "Gln"}  # what moves
    upper, lower, middle, model, *change = (unpacked(one["y"]) for one in courses["Glx"]["data"])
    assert np.allclose(upper - middle, 1.96 * 0.5, atol=1e-3)
    assert np.allclose(middle - lower, 1.96 * 0.5, atol=1e-3)
    assert np.allclose(change[0] - change[1], 2 * 1.96 * 1.5, atol=1e-3)
    time = 60.0 * unpacked(courses["Glx"]["data"][3]["x"]) + 300.0
    assert np.allclose(model, 12.0 + time / 720.0, atol=1e-4)
    assert np.allclose(change[3], 100.0 * (model / 12.0 - 1.0), atol=1e-3)
    layout = courses["Glx"]["layout"]
    assert layout["yaxis"]["title"]["text"] == "Glx (mM)"
    assert layout["yaxis2"]["title"]["text"] == "change from baseline (%)"


def test_correlation_is_that_of_the_fit(page, session):
    region = payload_of(page)["figures"]["correlation"]["data"][0]
    i, j = (session.fit.names.index(name) for name in ("Glu", "Gln"))
    covariance = session.fit.covariance[np.ix_([i, j], [i, j])]
    points = np.stack([unpacked(region["x"]), unpacked(region["y"])])
    points = points - session.fit.amplitude[[i, j], None]
    distance = np.einsum("ik,ij,jk->k", points, np.linalg.inv(covariance), points)
    assert np.allclose(distance, 5.991, rtol=1e-3)
    assert f"r = {session.fit.correlation[i, j]:.2f}" in without_scripts(page)


# Words.


def test_nothing_wants_attention(session):
    parts = Session(None, None, session.fit, None, None, None)
    assert words.warnings_of(parts) == []


def test_what_wants_attention_is_said_first(session, tmp_path):
    qc = session.clean.qc.assign(valid=[False] * 4 + [True] * 8)
    qc["frequency_hz"] = [60.0] * 4 + np.linspace(0.0, 15.0, 8).tolist()  # of those used: 15
    clean = SimpleNamespace(**{**vars(session.clean), "qc": qc})
    fit = dataclasses.replace(
        session.fit, snr=np.array(3.0), linewidth_hz=np.array(14.0), fit_quality=np.array(9.0)
    )
    failed = SimpleNamespace(**{**vars(session.dynamic), "success": False, "reason": "no minimum"})
    mp.report(tmp_path / "x.html", raw=session.raw, clean=clean, fit=fit, dynamic=failed)
    text = without_scripts(tmp_path / "x.html")
    for sentence in (
        "The joint fit over time failed: no minimum",
        "9 times the variance of the noise",
        "The lines are 0.11 ppm wide",
        "The SNR is 3",
        "33 % of the transients were left out",
        "moved over 15 Hz",
    ):
        assert sentence in text, sentence
    assert text.index("The joint fit") < text.index("Quality over time")
    assert "Time course" not in text


def test_a_fit_that_failed_has_no_numbers(synthetic, tmp_path):
    fids = np.array(synthetic.data(noise=1.0, shape=(2,), dims=("transient",)).fid)
    data = mp.MRSData(
        fid=fids, dims=("transient", "time"), acquisition=synthetic.acquisition, mask=[False, False]
    )
    mp.report(tmp_path / "x.html", fit=mp.fit(data, synthetic.basis))
    text = without_scripts(tmp_path / "x.html")
    assert "2 of 2 fits failed" in text
    assert "There is no fit to draw" in text
    assert not re.search(r"\bnan\b", text, flags=re.IGNORECASE)


def test_first_of_several_that_was_fitted(synthetic, tmp_path):
    fids = np.array(synthetic.data(noise=1.0, shape=(2,), dims=("transient",)).fid)
    data = mp.MRSData(
        fid=fids, dims=("transient", "time"), acquisition=synthetic.acquisition, mask=[False, True]
    )
    mp.report(tmp_path / "x.html", fit=mp.fit(data, synthetic.basis))
    text = without_scripts(tmp_path / "x.html")
    assert "1 of 2 fits failed" in text
    assert "transient&#39;: 1" in text


def test_methods_paragraph(session):
    parts = Session(session.raw, session.clean, session.fit, None, mp.quantify(session.fit), None)
    paragraph = words.methods(parts)
    assert "TE 35 ms, TR 60000 ms, 12 transients" in paragraph.text
    assert "1 of 12 transients were left out" in paragraph.text
    assert "between 0.2 and 4 ppm" in paragraph.text
    assert "Conversion" not in paragraph.text  # what was done before it was read is not ours
    assert any("10.1002/mrm.30462" in text for text in paragraph.references)


def test_concentrations_and_their_constants(session, synthetic, tmp_path):
    time = np.arange(1024) * synthetic.acquisition.dwell_time
    water = mp.MRSData(
        fid=8e4 * np.exp(-30.0 * time), dims=("time",), acquisition=session.raw.acquisition
    )
    tissue = mp.Tissue(gm=0.6, wm=0.3, csf=0.1)
    quantities = mp.quantify(session.fit, water=water, tissue=tissue)
    mp.report(tmp_path / "x.html", quantities=quantities)
    text = without_scripts(tmp_path / "x.html")
    assert "concentration (mmol/kg)" in text
    assert "grey matter 0.60, white matter 0.30, CSF 0.10" in text
    assert "10.1002/mrm.20901" in text


def test_numbers_with_their_uncertainty():
    assert with_sd(1234.5, 56.0) == "1234 ± 56" or with_sd(1234.5, 56.0) == "1235 ± 56"
    assert with_sd(0.0012345, 0.00021) == "0.00123 ± 0.00021"
    assert with_sd(1.0, 0.0) == "1"


def test_bad_calls(session, tmp_path):
    with pytest.raises(InvalidInputError, match="ends in .html"):
        mp.report(tmp_path / "report.pdf", fit=session.fit)
    with pytest.raises(InvalidInputError, match="nothing to report"):
        mp.report(tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_missing_packages_are_named(session, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingPackageError, match="pip install 'mrsproc"):
        mp.report(tmp_path / "report.html", fit=session.fit)
    assert list(tmp_path.iterdir()) == []


def test_a_single_spectrum_has_no_slider(session, tmp_path):
    mp.report(tmp_path / "x.html", raw=session.raw.mean("transient"))
    assert 'id="slider"' not in without_scripts(tmp_path / "x.html")
    assert payload_of(tmp_path / "x.html")["spectra"]["count"] == 1


def test_transients_without_times(session, tmp_path):
    qc = session.clean.qc.assign(time_s=np.nan)
    clean = SimpleNamespace(**{**vars(session.clean), "qc": qc})
    mp.report(tmp_path / "x.html", clean=clean, infusion=session.infusion)
    quality = payload_of(tmp_path / "x.html")["figures"]["quality"]
    assert unpacked(quality["data"][1]["x"]).tolist() == [4.0]
    assert quality["layout"]["shapes"] == []
    assert quality["layout"]["xaxis"]["title"]["text"] == "transient"
