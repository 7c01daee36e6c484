"""What the shell sees: completion, progress, one paragraph for an error, and the exit code."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from mrsproc.errors import FormatError

MRSPROC = Path(sys.executable).parent / "mrsproc"


def completed(words):
    """Return what bash is offered after some words."""
    environment = {
        "COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")),
        "_MRSPROC_COMPLETE": "complete_bash",
    }  # fmt: skip
    done = subprocess.run(
        [MRSPROC], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def test_names_and_options_are_completed():
    assert completed("mrsproc ba") == ["basis"]
    assert completed("mrsproc basis s") == ["simulate", "show"]
    assert completed("mrsproc fit --ref") == ["--reference"]
    assert completed("mrsproc run bids out ") == ["participant", "group"]


def test_completion_can_be_installed(tmp_path):
    environment = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    subprocess.run(
        [MRSPROC, "--install-completion", "bash"], env=os.environ | environment, check=True,
        capture_output=True,
    )  # fmt: skip
    script = tmp_path / ".bash_completions" / "mrsproc.sh"
    assert f"source '{script}'" in (tmp_path / ".bashrc").read_text()
    told = subprocess.run(
        ["bash", "-c", f"source {script} && complete -p mrsproc"], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "mrsproc" in told.stdout


def test_debug_shows_where_an_error_came_from(run):
    code, _, err = run("info", "nothing.nii")
    assert (code, err.count("\n")) == (2, 1)
    with pytest.raises(FormatError, match="nothing.nii"):
        run("info", "--debug", "nothing.nii")


def test_a_terminal_is_told_what_is_done_and_a_file_is_not():
    code = "from mrsproc.cli.work import stage\nwith stage('preprocessing'): pass"
    terminal, end = pty.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=end, check=True)
    assert b"preprocessing ..." in os.read(terminal, 4096)
    os.close(end)
    os.close(terminal)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stderr == b""
