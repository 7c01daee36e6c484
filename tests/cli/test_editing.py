"""Edited recordings on the command line: no basis set is fitted to a mean of on and off."""

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp


@pytest.fixture(scope="module")
def folder(tmp_path_factory, synthetic):
    """A recording of 6 scans with editing on, where half of NAA is gone, and 6 with it off."""
    folder = tmp_path_factory.mktemp("edited")
    off = synthetic.data(noise=2.0, shape=(6,), dims=("transient",))
    naa = 0.5 * synthetic.truth[0] * synthetic.basis.fid[0, :1024]
    time = off.time
    naa = naa * np.exp(-(np.pi**2) / (4 * np.log(2)) * (4.0 * time) ** 2)
    acquisition = synthetic.acquisition.replace(sequence="svs_ed", repetition_time=2.0)
    fid = np.concatenate([off.fid - naa, off.fid])
    rows = mp.MRSData(fid=fid, dims=("transient", "time"), acquisition=acquisition)
    turns = mp.MRSData(
        fid=np.stack([off.fid - naa, off.fid], axis=1).reshape(12, -1),
        dims=("transient", "time"),
        acquisition=acquisition,
    )
    mp.write(rows, folder / "blocks.nii.gz")
    mp.write(turns, folder / "turns.nii.gz")
    mp.write(mp.split_edited(rows, "blocks"), folder / "split.nii.gz")
    mp.write_basis(synthetic.basis, folder / "set.basis")
    return folder


def fitted(run, folder, name, *words):
    code, out, err = run(
        "fit", folder / f"{name}.nii.gz", "-b", folder / "set.basis", "-o", "out", *words
    )
    return code, out, err


@pytest.mark.parametrize(
    ("name", "order"),
    [("blocks", ("--order", "blocks")), ("turns", ("--order", "alternating")), ("split", ())],
)
@pytest.mark.parametrize(("scan", "naa"), [("off", 12.0), ("on", 6.0)])
def test_the_scan_that_is_asked_for_is_fitted(run, folder, tmp_path, name, order, scan, naa):
    code, _, err = fitted(run, folder, name, "--edit", scan, *order)
    assert code == 0, err
    path = tmp_path / f"out/{name}_desc-concentrations_mrs.tsv"
    table = pd.read_csv(path, sep="\t", na_values="n/a").set_index("metabolite")
    assert abs(table.amplitude["NAA"] - naa) < 5 * table.sd["NAA"] + 0.2
    assert abs(table.amplitude["tCr"] - 8.5) < 5 * table.sd["tCr"]


def test_no_macromolecules_are_added_to_a_difference(run, folder, tmp_path, synthetic):
    bare = synthetic.basis.select([name for name in synthetic.basis.names if name[:2] != "MM"])
    mp.write_basis(bare, tmp_path / "bare.basis")
    words = ["fit", folder / "blocks.nii.gz", "-b", tmp_path / "bare.basis", "-o", "out"]
    for scan, added in (("difference", False), ("off", True)):
        code, out, err = run(*words, "--order", "blocks", "--edit", scan)
        assert code == 0, err
        table = pd.read_csv(tmp_path / "out/blocks_desc-concentrations_mrs.tsv", sep="\t")
        assert table.metabolite.str.startswith("MM").any() == added


def test_alike_transients_of_an_edited_sequence(run, folder):
    code, _, err = fitted(run, folder, "blocks", "--edit", "none")
    assert code == 0, err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "svs_ed is an edited sequence"),
        (("--order", "blocks"), "is an edited sequence"),
        (("--edit", "off"), "which of the 12 transients? Give --order"),
        (("--edit", "of"), "of"),
        (("--edit", "off", "--order", "blocks", "--each"), "leave out --each or --edit"),
    ],
)
def test_what_cannot_be_is_refused(run, folder, tmp_path, words, message):
    code, _, err = fitted(run, folder, "blocks", *words)
    assert (code, message in err) == (2, True), err
    assert not (tmp_path / "out").exists()


def test_order_without_edit(run, folder, tmp_path, synthetic):
    mp.write(synthetic.data(noise=2.0, shape=(4,), dims=("transient",)), tmp_path / "plain.nii.gz")
    code, _, err = run(
        "fit", "plain.nii.gz", "-b", folder / "set.basis", "-o", "out", "--order", "blocks"
    )
    assert (code, "give --edit, too" in err) == (2, True), err


def test_other_commands_know_an_edited_recording(run, folder, tmp_path):
    code, out, _ = run("info", folder / "blocks.nii.gz")
    assert code == 0 and "--edit, --order" in out
    code, _, err = run(
        "dynamic", folder / "blocks.nii.gz", "-b", folder / "set.basis", "--infusion", "4", "8",
        "-o", "out",
    )  # fmt: skip
    assert code == 2 and "of two kinds" in err
    code, _, err = run(
        "report", folder / "blocks.nii.gz", "-b", folder / "set.basis", "--infusion", "4", "8",
        "--edit", "off", "--order", "blocks",
    )  # fmt: skip
    assert code == 2 and "leave out --edit or the infusion" in err
    assert not list(tmp_path.glob("*.html"))


def test_a_scan_of_a_sequence_without_editing(run):
    code, _, err = run(
        "basis",
        "simulate",
        "press",
        "--te",
        "68",
        "--edit",
        "off",
        "--frequency",
        "123",
        "-o",
        "x.basis",
    )
    assert code == 2 and "mega_press or mega_slaser, not press" in err
