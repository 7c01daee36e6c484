"""Blinded labels stay blinded until the recipe is frozen."""

import json

import pytest

from mrsproc import stats
from mrsproc.errors import FormatError, InvalidInputError


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text("bin_width = 60\n")
    return path


def test_round_trip(trial, tmp_path, recipe):
    key = tmp_path / "key.json"
    blinded = stats.blind(trial.endpoints, key, rng=1)
    assert set(blinded["condition"]) == {"A", "B"}
    assert set(blinded["sequence"]) == {"A-B", "B-A"}
    assert "naltrexone" not in blinded.to_csv()
    found = stats.crossover(blinded)
    assert abs(found.estimate) == pytest.approx(abs(stats.crossover(trial.endpoints).estimate))
    with pytest.raises(InvalidInputError, match="no recipe is frozen yet"):
        stats.unblind(blinded, key, recipe)
    digest = stats.freeze(key, recipe)
    assert json.loads(key.read_text())["recipe_hash"] == digest
    assert stats.freeze(key, recipe) == digest
    assert stats.unblind(blinded, key, recipe).equals(trial.endpoints)


def test_all_tables_get_the_same_letters(trial, tmp_path):
    key = tmp_path / "key.json"
    one = stats.blind(trial.endpoints, key, rng=1)
    other = stats.blind(trial.timecourses, key, rng=2)
    letters = dict(zip(one["subject"] + one["session"], one["condition"], strict=True))
    others = dict(zip(other["subject"] + other["session"], other["condition"], strict=True))
    assert letters == others
    with pytest.raises(InvalidInputError, match="placebbo: not in"):
        stats.blind(trial.endpoints.replace({"condition": {"placebo": "placebbo"}}), key)


def test_letters_are_drawn(trial, tmp_path):
    drawn = {
        stats.blind(trial.endpoints, tmp_path / f"{seed}.json", rng=seed)["condition"].iloc[0]
        for seed in range(12)
    }
    assert drawn == {"A", "B"}


def test_a_changed_recipe_unblinds_nothing(trial, tmp_path, recipe):
    key = tmp_path / "key.json"
    blinded = stats.blind(trial.endpoints, key, rng=1)
    stats.freeze(key, recipe)
    recipe.write_text("bin_width = 120\n")
    with pytest.raises(InvalidInputError, match="it was changed since"):
        stats.unblind(blinded, key, recipe)
    with pytest.raises(InvalidInputError, match="A frozen analysis is not changed"):
        stats.freeze(key, recipe)


@pytest.mark.parametrize("text", ["", "[1]", "{}", "null"])
def test_other_files_are_no_keys(tmp_path, recipe, text):
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(FormatError, match="not a key"):
        stats.freeze(tmp_path / "key.json", recipe)
