"""lme4 and lmerTest on the same tables, and the example for R."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp

pytestmark = pytest.mark.r
EXAMPLE = Path(__file__).parents[2] / "examples" / "r" / "crossover.R"


def r_script(*words):
    done = subprocess.run(
        ["Rscript", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def printed(text, title):
    """Return a matrix as R prints it, wrapped columns put together again."""
    section = text.split(f"# {title}\n")[1].split("\n#")[0]
    columns, rows = [], {}
    for line in section.strip().splitlines():
        words = line.split()
        try:
            numbers = [float(word) for word in words[1:]]
        except ValueError:
            columns += line.replace("Std. Error", "se").replace("t value", "t").split()
            continue
        if numbers:
            rows.setdefault(words[0], []).extend(numbers)
        else:
            columns += words
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def test_the_example_agrees_with_mrsproc(trial, tmp_path):
    for name in ("endpoints", "timecourses"):
        table = getattr(trial, name)
        table.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False, na_rep="n/a")
    text = r_script(EXAMPLE, tmp_path, "Glx", "auc")
    paired = mp.stats.crossover(trial.endpoints)
    row = printed(text, "endpoint Glx auc ").loc["conditionnaltrexone"]
    assert row["Estimate"] == pytest.approx(paired.estimate, rel=1e-5)
    assert row["se"] == pytest.approx(paired.se, rel=1e-5)
    assert row["Pr(>|t|)"] == pytest.approx(paired.p, rel=1e-5)
    order = ["(Intercept)", "conditionnaltrexone", "time", "conditionnaltrexone:time", "period"]
    for correction, title in (
        ("kenward-roger", "time course, Kenward-Roger"),
        ("satterthwaite", "time course, Satterthwaite"),
    ):
        model = mp.stats.mixed_model(trial.timecourses, correction=correction)
        assert_agree(model.to_frame(), printed(text, title).loc[order])


def assert_agree(ours, theirs):
    for name, column in (("estimate", "Estimate"), ("se", "se"), ("df", "df")):
        assert ours[name].to_numpy() == pytest.approx(theirs[column].to_numpy(), rel=1e-3), name
    assert np.log(ours["p"].to_numpy()) == pytest.approx(
        np.log(theirs["Pr(>|t|)"].to_numpy()), rel=1e-3, abs=1e-3
    )


SCRIPT = """
suppressPackageStartupMessages({library(lme4); library(lmerTest)})
d <- read.csv(commandArgs(TRUE)[1], colClasses = c(subject = "character"))
d$condition <- relevel(factor(d$condition), "placebo")
d$time <- (d$time_s + 200) / 60; d$time <- d$time - mean(d$time)
strict <- lmerControl(optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-10))
m <- lmer(estimate ~ condition * time + sex + period + RANDOM + (1 | subject:session), d,
          control = strict)
for (ddf in c("Kenward-Roger", "Satterthwaite")) {
  cat("\\n#", ddf, "\\n")
  print(coef(summary(m, ddf = ddf)), digits = 10)
}
cat("\\n# F\\n")
print(unlist(contestMD(m, diag(6)[c(2, 6), ], ddf = "Kenward-Roger")), digits = 10)
"""


@pytest.mark.parametrize(
    ("random", "re_formula"), [("(1 | subject)", "1"), ("(1 + time | subject)", "1 + time")]
)
def test_missing_sessions_and_time_points(gappy, tmp_path, random, re_formula):
    gappy.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "m.R").write_text(SCRIPT.replace("RANDOM", random))
    text = r_script(tmp_path / "m.R", tmp_path / "d.csv")
    order = [
        "(Intercept)", "conditiondrug", "sexM", "time", "conditiondrug:time", "period",
    ]  # fmt: skip
    formula = "estimate ~ condition * time + sex + period"
    for correction, title in (
        ("kenward-roger", "Kenward-Roger "),
        ("satterthwaite", "Satterthwaite "),
    ):
        model = mp.stats.mixed_model(gappy, formula, re_formula=re_formula, correction=correction)
        assert_agree(model.to_frame(), printed(text, title).loc[order])
    from mrsproc.stats import reml

    picked = [model.terms.index(name) for name in ("condition[T.drug]", "condition[T.drug]:time")]
    test = reml.kenward_roger(model.estimate, np.eye(6)[picked])
    numbers = [float(word) for word in text.split("# F\n")[1].split() if word[0].isdigit()]
    assert numbers[2:] == pytest.approx([test.df1, test.df2, test.statistic, test.p], rel=1e-3)
