"""A command as a user types it."""

import pytest

from mrsproc.__main__ import main


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Return a function that runs a command and gives exit code, output and errors."""
    monkeypatch.setenv("MRSPROC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr("sys.argv", ["mrsproc", *(str(word) for word in words)])
        with pytest.raises(SystemExit) as stop:
            main()
        text = capsys.readouterr()
        return stop.value.code or 0, text.out, text.err

    return call
