"""Recipes: what is declared is what is done, and errors name the key."""

import pickle

import pytest

import mrsproc as mp
from mrsproc.errors import FormatError, InvalidInputError


def written(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return path


def test_a_file_says_what_python_says(tmp_path):
    path = written(
        tmp_path,
        'metabolites = ["Glu"]\nreference = "tCr"\nbaseline = [0, 300]\nbin_width = 30\n'
        'endpoints = ["auc", "response"]\nbasis = "sets/a.basis"\ninfusion = [300, 2400]\n'
        '[responses]\nGlu = "ketamine"\ntCr = "free"\n'
        '[fit]\nppm = [0.5, 4.2]\nbaseline = 6\n[preprocess]\nmax_rejected = 0.5\n'
        'drift = "smooth"\n',
    )  # fmt: skip
    read = mp.Recipe.read(path)
    said = mp.Recipe(
        metabolites=("Glu",),
        reference="tCr",
        baseline=(0.0, 300.0),
        bin_width=30.0,
        endpoints=("auc", "response"),
        infusion=(300.0, 2400.0),
        responses={"Glu": "ketamine", "tCr": "free"},
        fit=mp.FitOptions(ppm=(0.5, 4.2), baseline=6.0),
        preprocess=mp.PreprocessOptions(max_rejected=0.5, drift="smooth"),
    )
    assert read.hash() == said.hash() != mp.Recipe().hash()
    assert read.basis == str(tmp_path / "sets" / "a.basis")
    assert pickle.loads(pickle.dumps(read)).hash() == read.hash()
    assert mp.Recipe.read(written(tmp_path, "")).hash() == mp.Recipe().hash()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bin_widht = 60", r"recipe.toml: there is no key 'bin_widht'. Did you mean 'bin_width'"),
        ("bin_width = '60'", r"recipe.toml: bin_width = '60': give a number\."),
        ("bin_width = -1", r"bin_width = -1.0: give seconds above 0"),
        ("bin_width = true", r"bin_width = True: give a number"),
        ("metabolites = 'Glu'", r"metabolites = 'Glu': give a list, each a text"),
        ("metabolites = []", r"metabolites: give at least one"),
        ("reference = 'Glx'", r"reference = 'Glx' is among the metabolites"),
        ("baseline = [0]", r"baseline = \[0\]: give a list of 2, each a number"),
        ("baseline = [300, 0]", r"baseline = \(300.0, 0.0\): give its start and end"),
        ("endpoints = ['aux']", r"endpoints: 'aux' is none. Did you mean 'auc'\? Known: mean,"),
        ("endpoints = ['response']", r"'response' needs a response of given shape"),
        ("sequence = 'pres'", r"sequence = 'pres': give one of 'press'.*Did you mean 'press'"),
        ("echo_time = 35", r"echo_time = 35.0: give seconds, such as 0.035"),
        ("infusion = [300, -5]", r"duration = -5.0: give a positive number"),
        ("water_reference = 'no'", r"water_reference = 'no': give one of 'auto', 'none'"),
        ("seed = -1", r"seed = -1: give 0 or more"),
        ("responses = {Glu = 'ketamin'}", r"Glu = 'ketamin'. Did you mean 'ketamine'\? Known: con"),
        ("responses = {}", r"responses: give at least one"),
        ("fit = 3", r"recipe.toml: fit = 3: give a table"),
        ("[fit]\npmm = [0, 4]", r"\[fit\]: there is no key 'pmm'. Did you mean 'ppm'"),
        ("[fit]\nppm = [0, 0.1]", r"\[fit\]: ppm = .*0.3 to 40 ppm apart"),
        ("[fit]\npriors = 'on'", r"\[fit\]: priors = 'on': give one of 'default', 'none'"),
        ("[preprocess]\nalign = 1", r"\[preprocess\]: align = 1: give true or false"),
    ],
)
def test_bad_values_are_named(tmp_path, text, message):
    with pytest.raises(InvalidInputError, match=message):
        mp.Recipe.read(written(tmp_path, text))


def test_what_is_not_toml_is_told_with_its_line(tmp_path):
    with pytest.raises(FormatError, match=r"recipe.toml: not a TOML file: .*line 1"):
        mp.Recipe.read(written(tmp_path, "bin_width 60"))


def test_a_function_is_refused_and_a_declared_response_is_not():
    with pytest.raises(InvalidInputError, match="a function cannot go to other processes"):
        mp.Recipe(responses={"Glu": lambda time: time})
    boxcar = mp.responses.Boxcar(onset_s=300.0, duration=400.0)
    asked = mp.Recipe(responses={"Glu": boxcar}, endpoints=("response",))
    assert pickle.loads(pickle.dumps(asked)).hash() == asked.hash()
    assert asked.hash() != mp.Recipe(responses={"Glu": "free"}).hash()
