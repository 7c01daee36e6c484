"""Tables: every column explained, nothing missing that is not said."""

import json

import numpy as np
import pandas as pd

import mrsproc as mp
from mrsproc.columns import COLUMNS
from mrsproc.tables import fit_summary, write_table


def test_table_and_sidecar(synthetic, tmp_path):
    fit = mp.fit(synthetic.data(noise=1.0, shape=(2,), dims=("transient",)), synthetic.basis)
    quantities = mp.quantify(fit)
    path = tmp_path / "out" / "sub-01_desc-concentrations_mrs.tsv"
    write_table(quantities.to_frame(), path, fit_summary(quantities))
    text = path.read_text()
    assert "\tn/a" in text
    assert "nan" not in text.lower().replace("naa", "")
    table = pd.read_csv(path, sep="\t", na_values="n/a", keep_default_na=False)
    assert np.allclose(table.amplitude, quantities.to_frame().amplitude, rtol=1e-6)
    sidecar = json.loads(path.with_suffix(".json").read_text())
    assert set(table.columns) <= set(sidecar)
    assert all(sidecar[name]["Description"] == COLUMNS[name].meaning for name in table.columns)
    assert sidecar["mrsproc"]["Options"]["ppm"] == [0.2, 4.0]
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        "sub-01_desc-concentrations_mrs.json",
        "sub-01_desc-concentrations_mrs.tsv",
    ]


def test_every_column_is_explained():
    assert all(column.meaning.endswith(".") for column in COLUMNS.values())
