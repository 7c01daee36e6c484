"""A whole study: from raw sessions to tables, again and again, with things that go wrong."""

import dataclasses
import gzip
import html
import json
import multiprocessing
import os
import shutil
import signal

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp
from mrsproc.columns import COLUMNS
from mrsproc.errors import InvalidInputError, MissingPackageError
from mrsproc.study import execution, work
from mrsproc.study.gathering import COLUMNS_OF

KEYS = ["subject", "session", "condition", "period", "sequence"]
TABLES = ("endpoints", "timecourses", "qc", "failures")


def tables(output):
    return {name: (output / f"{name}.tsv").read_bytes() for name in TABLES}


def states(study, *given, **named):
    return [planned.state for planned in study.plan(*given, **named)]


def test_tables_have_their_columns_and_the_truth_of_the_design(finished):
    for name in TABLES:
        written = pd.read_csv(finished.output / f"{name}.tsv", sep="\t")
        assert tuple(written.columns) == COLUMNS_OF[name]
        side = json.loads((finished.output / f"{name}.json").read_text())
        assert all(side[column]["Description"] == COLUMNS[column].meaning for column in written)
    assert finished.failures.empty
    ends = finished.endpoints
    assert len(ends) == 4 * 3 * 3 and ends["estimate"].notna().all() and (ends["sd"] > 0).all()
    assert set(zip(*(ends[key] for key in KEYS), strict=True)) == {
        ("01", "01", "placebo", 1, "placebo-drug"), ("01", "02", "drug", 2, "placebo-drug"),
        ("02", "01", "drug", 1, "drug-placebo"), ("02", "02", "placebo", 2, "drug-placebo"),
    }  # fmt: skip
    glu = ends[(ends["metabolite"] == "Glu") & (ends["endpoint"] == "response")]
    means = glu.groupby("condition")["estimate"].mean()
    sd = np.sqrt((glu["sd"] ** 2).sum()) / 2
    assert abs(means["drug"] - means["placebo"] - 20.0) < 4.0 * sd
    assert len(finished.qc) == 4 * 16
    assert "4 sessions, 0 failures" in repr(finished)


def test_derivatives_of_a_session(finished, recipe):
    folder = finished.output / "sub-01" / "ses-02" / "mrs"
    assert {path.name.removeprefix("sub-01_ses-02_desc-") for path in folder.glob("*.*")} == {
        *(f"{name}_mrs.{end}" for name in ("timecourse", "parameters", "qc", "endpoints")
          for end in ("tsv", "json")),
        "timecourse_cov.npz", "record_mrs.json", "sub-01_ses-02_report.html",
    }  # fmt: skip
    stored = np.load(folder / "sub-01_ses-02_desc-timecourse_cov.npz")
    rows = finished.timecourses.query("subject == '01' and session == '02'")
    ratios = rows[rows["quantity"] == "ratio"]
    assert [f"{m} {t:g}" for m, t in zip(ratios["metabolite"], ratios["time_s"], strict=True)] == (
        stored["labels"].tolist()
    )
    assert np.allclose(np.sqrt(np.diag(stored["covariance"])), ratios["sd"], rtol=1e-6)
    side = json.loads((folder / "sub-01_ses-02_desc-timecourse_mrs.json").read_text())
    assert side["mrsproc"]["infusion_onset_s"] == 75.0
    text = "".join(path.read_text() for path in finished.output.rglob("*.json"))
    assert str(finished.output.parent) not in text  # no paths


def test_what_was_written_is_read_again(finished, tmp_path):
    """With infusion, warnings and report of each session, wherever the folder stands."""
    moved = shutil.copytree(finished.output, tmp_path / "moved")
    again = mp.StudyResult.read(moved)
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(again, name), getattr(finished, name), check_dtype=False, rtol=1e-6
        )
    assert again.about == finished.about and "RecipeHash" in again.about
    sessions = again.sessions.set_index(["subject", "session"])
    assert len(sessions) == 4
    assert (sessions["infusion_onset_s"] == 75.0).all()
    assert (sessions["infusion_duration_s"] == 120.0).all()
    report = sessions.loc[("02", "01"), "report"]
    assert report == "sub-02/ses-01/mrs/sub-02_ses-01_report.html" and (moved / report).is_file()
    record = moved / "sub-02" / "ses-01" / "mrs" / "sub-02_ses-01_desc-record_mrs.json"
    told = json.loads(record.read_text())["Warnings"]
    page = html.unescape((moved / report).read_text(encoding="utf-8"))
    assert all(f"<li>{text}</li>" in page for text in told)
    assert sessions.loc[("02", "01"), "warnings"].splitlines() == told
    with pytest.raises(InvalidInputError, match="not the results of a study"):
        mp.StudyResult.read(tmp_path)


def test_the_report_of_a_session_shows_what_its_tables_hold(finished):
    folder = finished.output / "sub-01" / "ses-01" / "mrs"
    text = (folder / "sub-01_ses-01_report.html").read_text(encoding="utf-8")
    assert "<h1>sub-01 ses-01</h1>" in text and "Time course relative to tNAA" in text
    ends = finished.endpoints.query("subject == '01' and session == '01' and metabolite == 'Glx'")
    auc = ends.set_index("endpoint").loc["auc"]
    digits = max(0, 1 - int(np.floor(np.log10(auc["sd"]))))
    assert f"{auc['estimate']:.{digits}f} ± {auc['sd']:.{digits}f}" in text


def test_a_report_that_cannot_be_made_costs_no_session(
    master, basis, recipe, tmp_path, monkeypatch
):
    def broken(*_, **__):
        raise ZeroDivisionError("of a figure")

    monkeypatch.setattr(work, "report", broken)
    study = mp.Study.from_bids(master)
    old = tmp_path / "out/sub-01/ses-01/mrs/sub-01_ses-01_report.html"
    old.parent.mkdir(parents=True)
    old.write_text("of numbers that are replaced")
    result = study.run(recipe, tmp_path / "out", basis=basis, participants=["01"], jobs=1)
    assert set(result.endpoints["subject"]) == {"01"}
    assert all("no report of this session: of a figure" in x for x in result.sessions["warnings"])
    assert (result.sessions["report"] == "").all()


def test_the_table_is_what_the_steps_give(finished, master, basis, recipe):
    mrs = master / "sub-02" / "ses-01" / "mrs"
    raw, water = (mp.read(mrs / f"sub-02_ses-01_{x}.nii.gz") for x in ("svs", "mrsref"))
    infusion = mp.Infusion(onset=75.0, duration=120.0, drug="ketamine")
    clean = mp.preprocess(raw, water, infusion=infusion)
    shape = infusion.response()
    by_hand = mp.fit_dynamic(
        clean.data, basis, {"Glx": shape, "tNAA": shape}, bin_width=45.0, infusion=infusion
    )
    wanted = by_hand.endpoints("Glx", relative_to="tNAA").set_index("endpoint")
    ends = finished.endpoints.query("subject == '02' and session == '01' and metabolite == 'Glx'")
    found = ends.set_index("endpoint")
    assert found.loc["auc", "estimate"] == pytest.approx(wanted.loc["auc", "estimate"], rel=1e-6)
    assert found.loc["auc", "sd"] == pytest.approx(wanted.loc["auc", "sd"], rel=1e-6)
    # "response" is the change at the height of the shape: what the time course says of it
    table = by_hand.to_frame().set_index(["metabolite", "parameter"])["estimate"]
    grown = {m: 1 + table[m, "response"] / table[m, "rest"] for m in ("Glx", "tNAA")}
    percent = 100.0 * (grown["Glx"] / grown["tNAA"] - 1.0)
    assert found.loc["response", "estimate"] == pytest.approx(percent, rel=1e-6)


def test_processes_and_a_killed_one_give_the_same_tables(master, basis, recipe, finished, tmp_path):
    killed = []

    def kill_one(done, _count):
        if done == 1:
            victim = multiprocessing.active_children()[0]
            killed.append(victim.pid)
            os.kill(victim.pid, signal.SIGKILL)

    study = mp.Study.from_bids(master)
    study.run(recipe, tmp_path / "out", basis=basis, jobs=2, progress=kill_one)
    assert killed and tables(tmp_path / "out") == tables(finished.output)


def test_a_session_that_kills_every_process_fails_alone(
    master, basis, recipe, tmp_path, monkeypatch
):
    def pool(tasks, jobs):
        for task in tasks[1:]:
            yield work.process(task)
        return tasks[:1]

    monkeypatch.setattr(execution, "_pool", pool)
    result = mp.Study.from_bids(master).run(
        recipe, tmp_path / "out", basis=basis, participants=["sub-01"], jobs=2
    )
    row = result.failures.query("subject == '01'").iloc[0]
    assert (row["session"], row["stage"], row["error"]) == ("01", "run", "KilledWorker")
    assert "is there enough memory?" in row["message"]
    assert set(result.failures["error"]) == {"KilledWorker", "NotProcessed"}


def test_a_rerun_works_only_on_what_changed(bids, basis, recipe, finished, tmp_path):
    output = shutil.copytree(finished.output, tmp_path / "out")
    study = mp.Study.from_bids(bids)  # a copy in another folder, with other times
    assert states(study, recipe, output, basis=basis) == ["done before"] * 4
    events = bids / "sub-01" / "ses-02" / "mrs" / "sub-01_ses-02_events.tsv"
    events.write_text(events.read_text().replace("75", "90"))
    changed = ["done before", "run", "done before", "done before"]
    assert states(study, recipe, output, basis=basis) == changed
    seen = []
    again = study.run(
        recipe, output, basis=basis, jobs=1, progress=lambda *now: seen.append(now)
    )  # fmt: skip
    assert seen == [(done, 4) for done in range(5)]
    both = again.endpoints.merge(finished.endpoints, on=[*KEYS, "metabolite", "endpoint"])
    moved = both[both["estimate_x"] != both["estimate_y"]]
    assert set(zip(moved["subject"], moved["session"], strict=True)) == {("01", "02")}
    other = basis.select(basis.names[:-1])
    assert states(study, recipe, output, basis=other) == ["run"] * 4


def test_half_written_sessions_do_not_count(bids, basis, recipe, finished, tmp_path, monkeypatch):
    """A full disk, or a run that dies before the record is written."""
    output = shutil.copytree(finished.output, tmp_path / "out")
    for record in output.rglob("sub-01*record*"):
        record.unlink()
    study = mp.Study.from_bids(bids)
    whole = work.write_table

    def full(frame, path, about=None):
        if "sub-01_ses-02_desc-qc" in path.name:
            raise OSError(28, "No space left on device")
        whole(frame, path, about)

    monkeypatch.setattr(work, "write_table", full)
    result = study.run(recipe, output, basis=basis, jobs=1)
    assert result.failures["stage"].tolist() == ["write"]
    assert "No space left" in result.failures["message"].iloc[0]
    assert len(result.endpoints) == 3 * 9
    monkeypatch.undo()
    folder = output / "sub-01" / "ses-01" / "mrs"
    (folder / "sub-01_ses-01_desc-record_mrs.json").write_text('{"Status": "do')
    (folder / ".mrsproc-left").touch()
    assert states(study, recipe, output, basis=basis) == ["run", "run", *["done before"] * 2]
    study.run(recipe, output, basis=basis, jobs=1)
    assert tables(output) == tables(finished.output)
    assert not list(output.rglob(".mrsproc-*"))


def test_failed_sessions_are_rows_and_the_rest_goes_on(bids, basis, recipe, tmp_path):
    mrs = {visit: bids / "sub-01" / f"ses-{visit}" / "mrs" for visit in ("01", "02")}
    broken = mrs["01"] / "sub-01_ses-01_svs.nii.gz"
    broken.write_bytes(gzip.compress(b"not an image"))
    (mrs["02"] / "sub-01_ses-02_events.tsv").unlink()
    (bids / "sub-02" / "ses-01" / "mrs" / "sub-02_ses-01_mrsref.nii.gz").unlink()
    result = mp.Study.from_bids(bids).run(recipe, tmp_path / "out", basis=basis, jobs=1)
    rows = result.failures
    assert rows["stage"].tolist() == ["read", "read", "find"]
    assert rows["condition"].tolist() == ["placebo", "drug", "drug"]
    assert "too few for a NIfTI header" in rows["message"][0]
    assert "no sub-01_ses-02_events.tsv beside the recording" in rows["message"][1]
    assert "no water reference" in rows["message"][2]
    assert "water_reference = 'none'" in rows["message"][2]
    assert set(result.endpoints["subject"] + result.endpoints["session"]) == {"0202"}
    gathered = mp.Study.from_bids(bids).gather(tmp_path / "out")
    assert gathered.failures.equals(rows)


def test_events_by_name_and_metabolites_that_move(bids, basis, tmp_path):
    events = bids / "sub-01" / "ses-01" / "mrs" / "sub-01_ses-01_events.tsv"
    events.write_text(events.read_text().replace("infusion", "ketamine"))
    recipe = mp.Recipe(
        responses={"Glu": "free", "tNAA": "free"}, metabolites=("Glu", "Gln"), event="infusion"
    )
    study = mp.Study.from_bids(bids)
    named = {"basis": basis, "participants": ["01"], "jobs": 1}
    messages = study.run(recipe, tmp_path / "out", **named).failures["message"]
    assert "0 events 'infusion', and one is wanted; its events are 'ketamine'" in messages[0]
    assert "metabolites: Gln is constant in this fit" in messages[1]
    only = mp.Recipe(bin_width=75.0)  # the one event of a file is the infusion
    assert len(study.run(only, tmp_path / "only", **named).endpoints) == 2 * 9
    events.write_text(events.read_text() + "90\t5\ttask\n")
    message = study.run(only, tmp_path / "only", **named).failures["message"].iloc[0]
    assert "0 events 'infusion', and one is wanted; its events are 'ketamine', 'task'" in message


def test_transients_of_an_edited_sequence_are_told(bids, basis, recipe, tmp_path):
    """On and off fitted as one would be wrong without a word."""
    for path in sorted(bids.glob("sub-02/**/*_svs.nii.gz")):
        data = mp.read(path)
        named = data.acquisition.replace(sequence="svs_edit")
        mp.write(dataclasses.replace(data, acquisition=named), path)
    result = mp.Study.from_bids(bids).run(
        recipe, tmp_path, basis=basis, participants=["02"], jobs=1
    )
    told = result.sessions.query("subject == '02'")["warnings"]
    assert len(told) == 2
    assert all("the sequence is an edited one" in text for text in told), told.tolist()


def test_without_infusion_a_baseline_will_do(bids, basis, tmp_path):
    for path in bids.rglob("*_events.tsv"):
        path.unlink()
    study = mp.Study.from_bids(bids)
    named = {"basis": basis, "participants": ["02"], "jobs": 1}
    recipe = mp.Recipe(baseline=(0.0, 75.0), reference="none", save_clean=True, bin_width=75.0)
    result = study.run(recipe, tmp_path / "a", **named)
    assert result.endpoints["reference"].isna().all() and len(result.endpoints) == 2 * 9
    assert result.timecourses["unit"].isin(["units of the basis set", "%"]).any()
    assert mp.read(tmp_path / "a/sub-02/ses-01/mrs/sub-02_ses-01_desc-preproc_svs.nii.gz").dims == (
        "transient", "time",
    )  # fmt: skip
    shaped = mp.Recipe(responses={"Glx": "ketamine", "tNAA": "free"}, baseline=(0.0, 75.0))
    failed = study.run(shaped, tmp_path / "b", **named).failures
    assert "the response 'ketamine' needs the time of the infusion" in failed["message"].iloc[-1]
    timed = mp.Recipe(responses=dict(shaped.responses), infusion=(75.0, 120.0))
    done = study.run(timed, tmp_path / "c", **named)
    assert set(done.failures["error"]) == {"NotProcessed"}


def test_two_recipes_on_one_folder(master, basis, recipe, finished, tmp_path):
    output = shutil.copytree(finished.output, tmp_path / "out")
    study = mp.Study.from_bids(master)
    other = mp.Recipe(responses=dict(recipe.responses), bin_width=60.0)
    before = tables(output)
    with pytest.raises(InvalidInputError, match=r"another recipe \(endpoints, bin_width\): give"):
        study.run(other, output, basis=basis)
    assert tables(output) == before
    assert states(study, other, output, basis=basis, overwrite=True) == ["run"] * 4


def test_no_basis_set_and_no_sequence_names_both_ways_out(bids, recipe, tmp_path):
    study = mp.Study.from_bids(bids)
    with pytest.raises(InvalidInputError, match="--basis FILE, or basis.*sequence = 'press' in"):
        study.run(mp.Recipe(), tmp_path / "out")
    with pytest.raises(InvalidInputError, match="the echo time of 'press' is not known"):
        study.run(mp.Recipe(sequence="press"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    declared = mp.Recipe(sequence="press", echo_time=0.035, bin_width=75.0)
    result = study.run(declared, tmp_path / "out", participants=["01"], jobs=1)
    assert len(result.endpoints) == 2 * 9
    for path in bids.rglob("*_svs.nii.gz"):
        path.write_bytes(b"nothing")
    with pytest.raises(InvalidInputError, match="no recording can be read; the first says"):
        study.run(declared, tmp_path / "out")


def test_what_is_refused_before_anything_is_written(master, basis, tmp_path):
    study = mp.Study.from_bids(master)
    output = tmp_path / "out"
    with pytest.raises(InvalidInputError, match="no participant '03'. .*Known: 01, 02"):
        study.run(output=output, basis=basis, participants=["03"])
    with pytest.raises(InvalidInputError, match="jobs = 0: give 1 or more"):
        study.run(output=output, basis=basis, jobs=0)
    with pytest.raises(InvalidInputError, match="no results there. First run the sessions"):
        study.gather(output)
    assert not output.exists()
    output.write_text("a file")
    with pytest.raises(InvalidInputError, match="is a file: give a folder"):
        study.run(output=output, basis=basis)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "recipe.json").write_text("[]")
    with pytest.raises(InvalidInputError, match="not written by mrsproc"):
        study.gather(tmp_path / "other")


def test_a_scheduler_without_dask_is_told(master, basis, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingPackageError, match=r"pip install \"mrsproc\[cluster\]\""):
        mp.Study.from_bids(master).run(output=tmp_path, basis=basis, client="tcp://x:1")


def test_a_client_of_dask_gives_the_same_tables(master, basis, recipe, finished, tmp_path):
    """In this process; bench_study.py has two workers, of which one is killed."""
    import distributed

    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        study = mp.Study.from_bids(master)
        study.run(recipe, tmp_path / "out", basis=basis, client=client)
    assert tables(tmp_path / "out") == tables(finished.output)
