"""Ratio priors against the published concentrations that they are taken from."""

import numpy as np
import pandas as pd
import pytest

from mrsproc.fitting.priors import RATIO_PRIORS

pytestmark = pytest.mark.real

FROM_STUDIES = ("Asc", "Asp", "GABA", "GSH", "Lac", "PE", "Scyllo", "Tau")
OTHER_NAMES = {"Scyllo": "Scy"}
BIG3_OVER_TCR = 3.25
HEALTHY, OTHERS = "ontrol|Healthy|Resting|Baseline|Aged|Aging", "odent|nfant|eonat|NPH"


@pytest.fixture(scope="module")
def table(data_folder):
    table = pd.read_csv(
        data_folder / "reference/concentrations_meta_2023.csv", encoding="utf-8-sig"
    )
    for column in ("tCr_u", "IU_u", "mM_u"):
        table[column] = pd.to_numeric(table[column], errors="coerce")
    return table


def of_studies(table, name):
    """Return the ratio of each study to tNAA + tCr + 3 tCho, which is 3.25 tCr."""
    group = table.Group.fillna("")
    people = table[group.str.contains(HEALTHY) & ~group.str.contains(OTHERS)]
    creatine = table[table.Name == "tCr"].groupby("Reference")[["mM_u", "IU_u"]].median()
    ratios = []
    for study, rows in people[people.Name.str.strip() == OTHER_NAMES.get(name, name)].groupby(
        "Reference"
    ):
        own = creatine.loc[study] if study in creatine.index else pd.Series(dtype=float)
        values = [
            rows.tCr_u,
            rows.mM_u / own.get("mM_u", np.nan)
            if np.isfinite(own.get("mM_u", np.nan))
            else rows.mM_u / 8.0,
            rows.IU_u / own.get("IU_u", np.nan),
        ]
        found = pd.concat(values).dropna()
        if len(found):
            ratios.append(found.median() / BIG3_OVER_TCR)
    return np.array(ratios)


@pytest.mark.parametrize("name", FROM_STUDIES)
def test_ratios_are_those_of_the_studies(table, name):
    ratios = of_studies(table, name)
    off = np.abs(ratios - np.median(ratios))
    kept = ratios[0.6745 * off <= 3.5 * np.median(off)]
    assert len(kept) >= 7
    prior = next(prior for prior in RATIO_PRIORS if prior.name == name)
    assert prior.ratio == pytest.approx(np.median(kept), abs=6e-4)
    assert prior.sd == pytest.approx(kept.std(ddof=1), abs=6e-4)
