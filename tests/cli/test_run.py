"""``mrsproc run``: as on its page, and its exit codes."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "study.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def page(run, tmp_path):
    """Return a function that runs a command in a folder with what the page makes."""
    exec(compile(blocks("python")[0], "docs/study.md", "exec"), {})
    (tmp_path / "recipe.toml").write_text(blocks("toml")[0])
    return run


def test_the_page_from_raw_files_to_tables(page, tmp_path):
    commands = [line for block in blocks("bash") for line in block.splitlines()]
    assert len(commands) == 3
    dry, whole, group = (shlex.split(line)[1:] for line in commands)
    code, out, _ = page(*dry)
    assert code == 0 and out.count(": run\n") == 4 and "sub-02_ses-01: run" in out
    assert not (tmp_path / "results").exists()
    code, out, err = page(*whole, "--jobs", "1")
    assert code == 0 and "4 sessions, 0 failures" in out and "4/4" in err
    assert out.count("wrote ") == 5 and f"wrote {Path('results', 'endpoints.tsv')}" in out
    report = Path("results", "report.html")
    assert out.splitlines()[-1] == f"wrote {report}: open it in a browser"
    links = re.findall(r'href="(sub[^"]*)"', (tmp_path / report).read_text(encoding="utf-8"))
    assert len(links) == 4 and all((tmp_path / "results" / link).is_file() for link in links)
    before = (tmp_path / "results" / "endpoints.tsv").read_text()
    assert page(*dry)[1].count(": done before\n") == 4
    (tmp_path / report).unlink()
    assert page(*group)[0] == 0 and (tmp_path / report).is_file()
    assert (tmp_path / "results" / "endpoints.tsv").read_text() == before
    names = {}
    exec(compile("import mrsproc as mp\n" + blocks("python")[1], "docs/study.md", "exec"), names)
    assert len(names["result"].endpoints) == 4 * 2 * 3


def test_labels_as_a_bids_app_takes_them_and_a_failed_session(page, tmp_path):
    recording = tmp_path / "bids" / "sub-02" / "ses-01" / "mrs" / "sub-02_ses-01_svs.nii.gz"
    recording.unlink()
    words = ["run", "bids", "out", "participant", "-b", "press35.basis", "--jobs", "1"]
    _, out, _ = page(*words, "--dry-run", "--participant_label", "01", "sub-02")
    assert out.count(": run\n") == 3 and "sub-02_ses-01: no recording" in out
    code, out, _ = page(*words, "--participant-label", "02")
    assert code == 1
    assert "failed: sub-02 ses-01: no recording sub-02/ses-01/mrs/*_svs.*" in out
    assert "sub-01" not in out
    code, out, _ = page(*words, "--participant-label", "01")
    assert code == 0 and "failed" not in out
    failures = pd.read_csv(tmp_path / "out" / "failures.tsv", sep="\t")
    assert failures["error"].tolist() == ["InvalidInputError"]


def test_usage_and_input_are_exit_code_2(page, tmp_path):
    for words, message in (
        (["bids", "out", "participant"], "no basis set, and the sequence is not known"),
        (["bids", "out", "participant", "02"], "02: not an argument"),
        (["bids", "out", "group"], "no results there"),
        (["bids", "out", "everyone"], "everyone"),
        (["nowhere", "out", "participant"], "nowhere: no such folder"),
        (["bids", "out", "participant", "--recipe", "no.toml"], "no.toml"),
        (["bids", "out", "participant", "--basis", "no.basis"], "no.basis"),
    ):
        code, _, err = page("run", *words)
        assert code == 2 and message in err
    (tmp_path / "recipe.toml").write_text("bin_widht = 60\n")
    code, _, err = page("run", "bids", "out", "participant", "--recipe", "recipe.toml")
    assert code == 2 and "no key 'bin_widht'. Did you mean 'bin_width'?" in err
    assert not (tmp_path / "out").exists()
