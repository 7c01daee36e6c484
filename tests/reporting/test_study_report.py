"""The report of a study: statistics as `mp.stats` has them, plain words, good links."""

import base64
import dataclasses
import json
import re
import warnings
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

import mrsproc as mp
from mrsproc.errors import InvalidInputError, MRSWarning
from mrsproc.reporting import trial
from mrsproc.reporting.page import Table, probability, with_interval

ATTACK = "<script>document.title"


def without_scripts(path):
    return re.sub(r"<script.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def payload_of(path):
    found = re.search(r'id="payload">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    return json.loads(found[1])


def unpacked(packed):
    return np.frombuffer(base64.b64decode(packed["bdata"]), "<f4")


def section(path, heading):
    """Return the part of a page below a heading."""
    text = without_scripts(path)
    return text[text.index(f">{heading}</h2>") :].split("</section>")[0]


def rows_of(part, caption):
    """Return the rows of a table as lists of text."""
    table = part[part.index(f"<span>{caption}") :].split("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], flags=re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in rows]
    return [[re.sub(r"<.*?>", "", cell) for cell in row] for row in cells]


def changed(study, **parts):
    return dataclasses.replace(study, **parts)


def test_every_part_is_there(study_page):
    text = without_scripts(study_page)
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", text)
    assert headings == [
        "What wants attention", "Time courses by condition", "Every person", "Treatment effect",
        "Mixed model of the time courses", "Quality by condition and time",
        "Sessions and exclusions", "Failures", "Methods, for a paper", "Provenance",
    ]  # fmt: skip
    assert study_page.stat().st_size < 8e6
    payload = payload_of(study_page)
    assert set(payload["choices"]["course"]) == {"Glx", "Glu"}
    assert set(payload["choices"]["forest"]) == {"mean", "auc"}
    assert set(payload["choices"]["people"]) == {"mean Glx", "mean Glu", "auc Glx", "auc Glu"}


def test_treatment_effect_is_that_of_the_crossover_analysis(study_page, study):
    with pytest.warns(MRSWarning, match="left out"):
        glx = mp.stats.crossover(study.endpoints, metabolite="Glx", endpoint="auc")
    found = {row[0]: row for row in rows_of(section(study_page, "Treatment effect"), "Treatment")}
    assert list(found) == ["Glx, mean", "Glu, mean", "Glx, AUC", "Glu, AUC"]  # as the recipe has it
    row = found["Glx, AUC"]
    effect = with_interval(glx.estimate, glx.ci_low, glx.ci_high)
    assert row[1:3] == ["7", f"{effect} % min"]
    assert row[4] == probability(glx.p).replace("<", "&lt;")
    size = glx.effect_size
    assert row[7] == with_interval(size.value, size.low, size.high)
    people = payload_of(study_page)["choices"]["people"]["auc Glx"]["data"]
    drawn = unpacked(people[0]["x"])
    assert sorted(drawn) == pytest.approx(sorted(glx.pairs.difference), rel=1e-5)
    assert unpacked(people[1]["x"]) == pytest.approx([glx.estimate], rel=1e-5)


def test_holm_is_over_the_metabolites_of_an_endpoint(study):
    findings = trial.analysed(study, None)
    corrected = trial.holm_of(findings)
    for endpoint in ("mean", "auc"):
        keys = [(endpoint, name) for name in ("Glx", "Glu")]
        wanted = mp.stats.holm([findings.crossovers[key].p for key in keys])
        assert [corrected[key] for key in keys] == pytest.approx(list(wanted))


def test_mixed_model_starts_at_the_infusion(study_page, study):
    rows = study.timecourses[study.timecourses["metabolite"] == "Glx"]
    model = mp.stats.mixed_model(rows, window=(600.0, np.inf), levels=["placebo", "naltrexone"])
    tests = model.to_frame("tests").set_index("term")
    found = rows_of(section(study_page, "Mixed model of the time courses"), "Tests of the terms")
    row = next(row for row in found if row[:2] == ["Glx/tNAA", "condition"])
    assert float(row[2]) == pytest.approx(tests.loc["condition", "statistic"], abs=0.006)
    assert row[4] == probability(tests.loc["condition", "p"]).replace("<", "&lt;")


def test_no_mixed_model_of_shapes(study, tmp_path):
    """A shape has one height a session: its time points are no observations of their own."""
    about = {**study.about, "Recipe": {**study.about["Recipe"], "responses": {"Glx": "ketamine"}}}
    mp.report(tmp_path / "x.html", study=changed(study, about=about))
    text = section(tmp_path / "x.html", "Mixed model of the time courses")
    assert "follow a shape (Glx: ketamine)" in text and "<table" not in text


def test_group_means_have_t_intervals(study_page, study):
    course = payload_of(study_page)["choices"]["course"]["Glx"]
    mean = next(one for one in course["data"] if one.get("name") == "placebo")
    high, low = course["data"][0], course["data"][1]
    rows = study.timecourses.query("metabolite == 'Glx' and condition == 'placebo'")
    first = rows[rows["time_s"] == 0.0]["estimate"]
    half = scipy_stats.t.ppf(0.975, 7) * first.std() / np.sqrt(8)
    assert unpacked(mean["x"])[0] == pytest.approx(-7.5)  # middle of the first bin
    assert unpacked(mean["y"])[0] == pytest.approx(first.mean(), rel=1e-5)
    assert unpacked(high["y"])[0] == pytest.approx(first.mean() + half, rel=1e-5)
    assert unpacked(low["y"])[0] == pytest.approx(first.mean() - half, rel=1e-5)
    assert mean["text"][0] == "8 people"
    shape = course["layout"]["shapes"][0]
    assert (shape["x0"], shape["x1"]) == (0.0, 40.0)


def test_means_stand_in_a_table_too(study_page, study):
    table = mp.stats.group_course(
        study.timecourses.query("metabolite == 'Glu'"), contrast=("naltrexone", "placebo")
    )
    rows = rows_of(section(study_page, "Time courses by condition"), "Glu/tNAA, ratio")
    assert len(rows) == 10 and rows[0][0] == "-7.50"
    row = table[(table["condition"] == "difference") & (table["time_s"] == 150.0)].iloc[0]
    interval = with_interval(row["estimate"], row["ci_low"], row["ci_high"])
    assert rows[0][3] == f"{interval}, n = 7" and rows[0][1].endswith("n = 8")


def test_what_wants_attention_comes_first(study_page):
    found = re.findall(r"<li>(.*?)</li>", section(study_page, "What wants attention"))
    assert found[0].startswith("1 session is not in these results: sub-08 ses-02.")
    assert found[1].startswith("Alarm: linewidth (Hz) differs by condition")
    assert any("because there is no session with naltrexone: sub-08." in text for text in found)
    assert any(text.startswith("sub-02 ses-01: the gain drifts &lt;script") for text in found)


def test_quality_alarm_is_in_its_table(study_page):
    rows = rows_of(section(study_page, "Quality by condition and time"), "Quality as an outcome")
    raised = [row[:2] for row in rows if row[5] == "ALARM"]
    assert ["linewidth (Hz)", "condition x time"] in raised
    assert all(row[0] == "linewidth (Hz)" for row in rows if row[5] == "ALARM")


def test_exclusions_and_failures_have_their_reasons(study_page, study):
    part = section(study_page, "Sessions and exclusions")
    left_out = rows_of(part, "People left out")
    assert left_out == [["sub-08", "no session with naltrexone", "everywhere"]]
    sessions = rows_of(part, "Sessions; SNR")
    assert len(sessions) == 15
    qc = study.qc.query("subject == '03' and session == '01'")
    row = next(row for row in sessions if row[0] == "sub-03 ses-01")
    used = int(qc["valid"].sum())
    assert row[5] == f"{used} of 40"
    assert row[6] == (f"broad lines ({40 - used})" if used < 40 else "")
    failed = section(study_page, "Failures")
    assert "sub-08 ses-02" in failed and "cannot be read &lt;script" in failed


def test_links_lead_to_reports_that_are_there(study_page):
    links = re.findall(r'href="([^#"][^"]*)"', without_scripts(study_page))
    assert links == ["sub-01/ses-01/mrs/sub-01%20ses-01_report.html"]
    assert (study_page.parent / unquote(links[0])).is_file()


def test_links_from_another_folder(study, study_page, tmp_path):
    linked = changed(
        study, output=study_page.parent,
        sessions=study.sessions.assign(report="sub-01/ses-01/mrs/sub-01 ses-01_report.html"),
    )  # fmt: skip
    mp.report(tmp_path / "elsewhere.html", study=linked)
    link = re.search(r'href="([^#"][^"]*)"', without_scripts(tmp_path / "elsewhere.html"))[1]
    assert (tmp_path / unquote(link)).resolve().is_file()


def test_what_tables_hold_is_text(study_page):
    text = study_page.read_text(encoding="utf-8")
    assert ATTACK not in text and "<img" not in without_scripts(study_page)


def test_hostile_labels_are_text(study, tmp_path):
    evil = f"{ATTACK}='owned'</script>"

    def named(table):
        return table.assign(condition=table["condition"].replace("naltrexone", evil))

    parts = {name: named(getattr(study, name)) for name in ("endpoints", "timecourses", "qc")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mp.report(tmp_path / "x.html", study=changed(study, **parts))
    assert ATTACK not in (tmp_path / "x.html").read_text(encoding="utf-8")


def test_small_multiples_share_their_axes(study_page, study):
    part = section(study_page, "Every person")
    labels = re.findall(r'aria-label="(\d\d), Glx/tNAA, mean after the onset: (.*?)"', part)
    assert [person for person, _ in labels] == [f"0{i}" for i in range(1, 9)]
    assert "naltrexone" not in labels[-1][1]  # the session that failed
    rows = study.timecourses.query(
        "metabolite == 'Glx' and subject == '01' and session == '01' and time_s >= 600"
    )
    assert f"(session 01) {rows['estimate'].mean():.4g}" in labels[0][1]
    ticks = re.findall(r'<text x="30" y="(.*?)"', part.split("</figure>")[0])
    assert re.findall(r'<text x="30" y="(.*?)"', part.split("</figure>")[4]) == ticks


def test_missing_sd_has_no_interval(study, tmp_path):
    """A band of no width would say that the value is certain; one infinite value spoils nothing."""
    table = study.timecourses.copy()
    person = table["subject"] == "01"
    table.loc[person, "sd"] = np.nan
    table.loc[table.index[table["subject"] == "02"][0], "estimate"] = np.inf
    mp.report(tmp_path / "x.html", study=changed(study, timecourses=table))
    figures = section(tmp_path / "x.html", "Every person").split("</figure>")
    assert 'class="band" d=""' in figures[0]
    assert 'class="band" d="M' not in figures[0]
    assert 'class="band" d="M' in figures[1]
    assert "nan" not in figures[0] + figures[1]


def test_two_people_have_no_test_and_the_reason_is_said(study, tmp_path):
    few = ["01", "02"]
    parts = {
        name: getattr(study, name)[getattr(study, name)["subject"].isin(few)]
        for name in ("endpoints", "timecourses", "qc", "sessions")
    }
    mp.report(tmp_path / "x.html", study=changed(study, **parts))
    assert "2 people have both naltrexone and placebo; at least 4 are needed" in section(
        tmp_path / "x.html", "Treatment effect"
    )
    assert "There is no treatment effect" in section(tmp_path / "x.html", "What wants attention")
    assert "Every person" in without_scripts(tmp_path / "x.html")


def test_one_condition_and_no_infusion(study, tmp_path):
    parts = {
        name: getattr(study, name).assign(condition="ketamine")
        for name in ("endpoints", "timecourses", "qc")
    }
    sessions = study.sessions.assign(infusion_onset_s=None)
    mp.report(tmp_path / "x.html", study=changed(study, **parts, sessions=sessions))
    text = without_scripts(tmp_path / "x.html")
    assert "one condition, ketamine: there is nothing to compare" in text
    assert "times count from the first transient" in text.replace("\n", " ")
    course = payload_of(tmp_path / "x.html")["choices"]["course"]["Glx"]
    assert "recording" in course["layout"]["xaxis"]["title"]["text"]


def test_a_data_set_without_sessions(study, tmp_path):
    """One session a person, and no label for it."""
    parts = {
        name: getattr(study, name).query("session == '01'").assign(session=None)
        for name in ("endpoints", "timecourses", "qc", "sessions")
    }
    mp.report(tmp_path / "x.html", study=changed(study, **parts))
    rows = rows_of(section(tmp_path / "x.html", "Sessions and exclusions"), "Sessions; SNR")
    assert [row[0] for row in rows[:2]] == ["sub-01", "sub-02"]
    assert all(row[5].endswith(" of 40") for row in rows)
    assert "infusion" in payload_of(tmp_path / "x.html")["choices"]["course"]["Glx"]["layout"][
        "xaxis"]["title"]["text"]  # fmt: skip


def test_many_warnings_are_counted_and_stand_in_a_table(study, tmp_path):
    told = [f"transient {i} does not look like the others" for i in range(len(study.sessions))]
    sessions = study.sessions.assign(warnings=told)
    mp.report(tmp_path / "x.html", study=changed(study, sessions=sessions), notes=["seen by hand"])
    text = section(tmp_path / "x.html", "What wants attention")
    assert "15 sessions gave 15 different warnings" in text and "transient 3" not in text
    assert "<li>seen by hand</li>" in text
    part = section(tmp_path / "x.html", "Sessions and exclusions")
    rows = rows_of(part, "What the analyses of the sessions warned of")
    assert rows[2] == ["transient 2 does not look like the others", "sub-02 ses-01"]


def test_nothing_finished(study, tmp_path):
    """All sessions failed: the report says so, and has no figures."""
    parts = {name: getattr(study, name).iloc[:0] for name in
             ("endpoints", "timecourses", "qc", "sessions")}  # fmt: skip
    mp.report(tmp_path / "x.html", study=changed(study, **parts))
    text = without_scripts(tmp_path / "x.html")
    assert "No session is finished." in text and "sub-08 ses-02" in text
    assert not re.search(r"\bnan\b", text, flags=re.IGNORECASE)


def test_contrast(study, tmp_path):
    mp.report(tmp_path / "x.html", study=study, contrast=("placebo", "naltrexone"))
    assert "placebo minus naltrexone" in without_scripts(tmp_path / "x.html")
    with pytest.raises(InvalidInputError, match="'placbo' does not occur. Did you mean"):
        mp.report(tmp_path / "y.html", study=study, contrast=("placbo", "naltrexone"))
    with pytest.raises(InvalidInputError, match="contrast= is for study="):
        mp.report(tmp_path / "y.html", contrast=("a", "b"))
    with pytest.raises(InvalidInputError, match="study= and title=|study= and baseline=") as error:
        mp.report(tmp_path / "y.html", study=study, baseline=(0, 1))
    assert "one session" in str(error.value)
    assert not (tmp_path / "y.html").exists()


def test_one_person_who_decides_is_named(study, tmp_path):
    """An outlier hides an effect that everybody else shows."""
    ends = study.endpoints.query("subject != '08' and metabolite == 'Glx'").copy()
    active = ends["condition"] == "naltrexone"
    noise = np.random.default_rng(0).normal(0.0, 0.3, len(ends))
    ends["estimate"] = np.where(active, -3.0, 0.0) + noise
    ends.loc[active & (ends["subject"] == "03"), "estimate"] = 30.0
    mp.report(tmp_path / "x.html", study=changed(study, endpoints=ends))
    text = section(tmp_path / "x.html", "What wants attention")
    assert "One person decides: without sub-03, Glx mean has p" in text


def test_numbers_stand_to_the_right_and_words_to_the_left():
    table = Table("", ("a", "b", "c"), [("Glx", "-1.2 (-3 to 1)", "n/a"), ("Glu", "< 0.001", "x")])
    assert table.numeric == (False, True, False)


def test_group_course_of_the_difference(study):
    table = pd.DataFrame(
        {
            "subject": ["a", "a", "b", "b", "c"], "session": ["1", "2", "1", "2", "1"],
            "condition": ["x", "y", "x", "y", "x"], "time_s": 0.0, "duration_s": 60.0,
            "estimate": [1.0, 4.0, 2.0, 7.0, 3.0],
        }
    )  # fmt: skip
    found = mp.stats.group_course(table, contrast=("y", "x")).set_index("condition")
    assert found.loc["x", "estimate"] == pytest.approx(2.0)
    assert found.loc["x", "people"] == 3
    assert found.loc["difference", "estimate"] == pytest.approx(4.0)  # of a and b: 3 and 5
    half = scipy_stats.t.ppf(0.975, 1) * np.sqrt(2.0) / np.sqrt(2.0)
    assert found.loc["difference", "ci_high"] == pytest.approx(4.0 + half)
