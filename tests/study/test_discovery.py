"""What is found in a data set, and what is said of what is wrong with it."""

import shutil

import pytest

import mrsproc as mp
from mrsproc.errors import DataWarning, FormatError, InvalidInputError
from mrsproc.study.discovery import find_sessions


def empty_bids(root, sessions, table=None, name="sub-{}_ses-{}_svs.nii.gz"):
    """Make a data set of empty files, as far as discovery looks."""
    for subject, session in sessions:
        folder = root / f"sub-{subject}" / f"ses-{session}" / "mrs"
        folder.mkdir(parents=True)
        (folder / name.format(subject, session)).touch()
    if table is not None:
        (root / "sessions.tsv").write_text(table)
    return root


def test_conditions_periods_and_sequences(master):
    found = find_sessions(master)
    assert [(s.subject, s.session, s.condition, s.period, s.sequence) for s in found] == [
        ("01", "01", "placebo", 1, "placebo-drug"),
        ("01", "02", "drug", 2, "placebo-drug"),
        ("02", "01", "drug", 1, "drug-placebo"),
        ("02", "02", "placebo", 2, "drug-placebo"),
    ]
    assert not any(s.problem for s in found)
    assert all(s.recording and s.reference and s.events for s in found)
    assert "conditions: drug, placebo" in repr(mp.Study.from_bids(master))


def test_period_is_a_column_or_the_order_of_labels(tmp_path):
    rows = "participant_id\tsession_id\tcondition\tperiod\n01\t2\ta\t2\n01\t10\tb\t1\n"
    sessions = [("01", "2"), ("01", "10")]
    found = find_sessions(empty_bids(tmp_path / "a", sessions, rows))
    assert [(s.session, s.period, s.sequence) for s in found] == [
        ("10", 1, "b-a"), ("2", 2, "b-a"),
    ]  # fmt: skip
    found = find_sessions(empty_bids(tmp_path / "b", sessions))
    assert [(s.session, s.period, s.condition, s.sequence) for s in found] == [
        ("2", 1, "", ""), ("10", 2, "", ""),
    ]  # fmt: skip


def test_sessions_tables_of_single_people(tmp_path):
    root = empty_bids(tmp_path, [("01", "a"), ("01", "b")])
    (root / "sub-01" / "sub-01_sessions.tsv").write_text(
        "session_id\tcondition\nses-a\tdrug\nses-b\tn/a\n"
    )
    assert [(s.condition, s.sequence) for s in find_sessions(root)] == [("drug", ""), ("", "")]


def test_files_of_vendors_and_a_data_set_without_sessions(tmp_path):
    folder = tmp_path / "sub-X" / "mrs"
    folder.mkdir(parents=True)
    names = (
        "sub-X_svs.SDAT", "sub-X_svs.SPAR", "sub-X_svs.json", "sub-X_mrsref.SDAT",
        "sub-X_mrsref.SPAR", "sub-X_events.tsv",
    )  # fmt: skip
    for name in names:
        (folder / name).touch()
    (session,) = find_sessions(tmp_path)
    assert not session.problem and session.session == "" and session.period == 1
    assert session.recording.name == "sub-X_svs.SDAT"
    assert session.reference.name == "sub-X_mrsref.SDAT"
    assert session.folder.as_posix() == "sub-X/mrs"


def test_a_missing_session_and_doubled_recordings_have_a_problem(bids):
    shutil.rmtree(bids / "sub-01" / "ses-02")
    folder = bids / "sub-02" / "ses-01" / "mrs"
    shutil.copy(folder / "sub-02_ses-01_svs.nii.gz", folder / "sub-02_ses-01_run-2_svs.nii.gz")
    found = find_sessions(bids)
    assert found[1].problem.startswith("no recording sub-01/ses-02/mrs/*_svs.*")
    assert found[1].condition == "drug"
    assert "2 recordings of one session: sub-02_ses-01_run-2_svs.nii.gz" in found[2].problem
    (bids / ".bidsignore").write_text("*_truth.tsv\n*_run-2_svs.nii.gz\n")
    assert not find_sessions(bids)[2].problem


def test_a_session_that_no_table_names_is_told(bids):
    shutil.copytree(bids / "sub-01" / "ses-01", bids / "sub-01" / "ses-03")
    with pytest.warns(DataWarning, match="not in sessions.tsv.*sub-01 ses-03"):
        found = find_sessions(bids)
    assert [(s.session, s.condition) for s in found if s.subject == "01"][-1] == ("03", "")


def test_nothing_to_work_on(tmp_path):
    with pytest.raises(InvalidInputError, match="no such folder"):
        mp.Study.from_bids(tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match="no recording sub-XX"):
        mp.Study.from_bids(tmp_path)
    (tmp_path / "sub-01" / "mrs").mkdir(parents=True)
    with pytest.raises(InvalidInputError, match="no recording sub-XX"):
        mp.Study.from_bids(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("participants.tsv", b"\xff\xfe\x00\x81", "participants.tsv: cannot be read"),
        ("participants.tsv", b"participant_id,sex\n01,M\n", "there is no column participant_id"),
        ("participants.tsv", b"participant_id\tsex\n01\n", "participants.tsv, line 2: not as many"),
        ("sessions.tsv", b"participant_id\tcondition\n01\ta\n", "there is no column session_id"),
        (
            "sessions.tsv",
            b"participant_id\tsession_id\tconditon\n01\t01\ta\n",
            "column 'conditon': did you mean 'condition'",
        ),
        (
            "sessions.tsv",
            b"participant_id\tsession_id\tcondition\n01\t01\ta\n01\t01\tb\n",
            "sub-01 ses-01 stands twice",
        ),
        (
            "sessions.tsv",
            b"participant_id\tsession_id\tperiod\n01\t01\tfirst\n",
            "period = 'first' of sub-01 ses-01: give 1, 2",
        ),
        (
            "sessions.tsv",
            b"participant_id\tsession_id\tperiod\n01\t01\t1\n01\t02\t1\n",
            "sub-01 has two sessions in period 1",
        ),
        (".bidsignore", b"\xff\xfe\x81", "not a text file in UTF-8"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, name, content, message):
    root = empty_bids(tmp_path, [("01", "01")])
    (root / name).write_bytes(content)
    with pytest.raises(FormatError, match=message):
        mp.Study.from_bids(root)
