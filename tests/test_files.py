"""Atomic writing, hashes and the cache folder."""

import os
import stat

import pytest

from mrsproc import files


def test_written_whole_and_nothing_else(tmp_path):
    target = tmp_path / "new" / "table.nii.gz"
    with files.atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.name.endswith("table.nii.gz")
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert [entry.name for entry in target.parent.iterdir()] == ["table.nii.gz"]


def test_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "table.tsv"
    target.write_text("old")

    def half():
        with files.atomic_path(target) as temporary:
            temporary.write_text("hal")
            raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="on fire"):
        half()
    assert target.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.tsv"]


def test_interrupt_leaves_nothing(tmp_path):
    def stopped():
        with files.atomic_path(tmp_path / "table.tsv") as temporary:
            temporary.write_text("hal")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_ordinary_permissions(tmp_path):
    """Results are ordinary files, not private ones; Windows knows only read and write."""
    before = os.umask(0o022)
    try:
        with files.atomic_path(tmp_path / "a") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(before)
    wanted = 0o644 if os.name == "posix" else 0o666
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == wanted


def test_hash_keeps_parts_apart():
    assert files.content_hash("ab", "c") != files.content_hash("a", "bc")
    assert files.content_hash("a", b"b") == files.content_hash(b"a", "b")
    assert files.content_hash("a", "") != files.content_hash("a")
    assert len(files.content_hash()) == 64


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MRSPROC_CACHE", str(tmp_path / "here"))
    assert files.cache_folder() == tmp_path / "here"
    monkeypatch.delenv("MRSPROC_CACHE")
    assert "mrsproc" in str(files.cache_folder())
