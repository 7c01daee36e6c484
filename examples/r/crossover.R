# A crossover trial in R, from the study tables that `mrsproc run` writes.
#
#   Rscript examples/r/crossover.R STUDY_DIR [METABOLITE] [ENDPOINT]
#
# STUDY_DIR holds endpoints.tsv and timecourses.tsv. Needs lme4 and lmerTest
# (Debian: apt-get install r-base-core r-cran-lme4 r-cran-lmertest).

suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
})

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) < 1) stop("usage: Rscript crossover.R STUDY_DIR [METABOLITE] [ENDPOINT]")
folder <- arguments[1]
metabolite <- if (length(arguments) > 1) arguments[2] else "Glx"
endpoint <- if (length(arguments) > 2) arguments[3] else "auc"

read_table <- function(name) {
  read.delim(file.path(folder, name), na.strings = "n/a", stringsAsFactors = FALSE,
             colClasses = c(subject = "character", session = "character"))
}

# The control comes first, so that coefficients are active minus control.
control_first <- function(labels) {
  known <- sort(unique(labels))
  control <- intersect(known, c("placebo", "control", "saline", "sham", "vehicle", "baseline"))
  if (length(control) == 1) relevel(factor(labels), ref = control) else factor(labels, known)
}

# 1. Endpoints: one value a session, so that a person intercept is all there is.
endpoints <- read_table("endpoints.tsv")
endpoints <- endpoints[endpoints$metabolite == metabolite & endpoints$endpoint == endpoint, ]
endpoints$condition <- control_first(endpoints$condition)
paired <- lmer(estimate ~ condition + period + (1 | subject), data = endpoints)
cat("\n# endpoint", metabolite, endpoint, "\n")
print(coef(summary(paired, ddf = "Kenward-Roger")), digits = 8)

# 2. Time courses: the person x session intercept is what the treatment is tested against.
timecourses <- read_table("timecourses.tsv")
timecourses <- timecourses[timecourses$metabolite == metabolite, ]
timecourses$condition <- control_first(timecourses$condition)
minutes <- (timecourses$time_s + timecourses$duration_s / 2) / 60
timecourses$time <- minutes - mean(minutes)
model <- lmer(estimate ~ condition * time + period + (1 | subject) + (1 | subject:session),
              data = timecourses)
cat("\n# time course, Kenward-Roger\n")
print(coef(summary(model, ddf = "Kenward-Roger")), digits = 8)
cat("\n# time course, Satterthwaite\n")
print(coef(summary(model, ddf = "Satterthwaite")), digits = 8)
cat("\n# variances\n")
print(as.data.frame(VarCorr(model))[, c("grp", "vcov")], digits = 8)
