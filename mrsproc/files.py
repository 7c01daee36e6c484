"""Files: atomic writing, content hashes, and the cache folder."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name beside `target` and rename it to `target` when the block succeeds.

    Parameters
    ----------
    target : path
        Final name. Its folder is created where missing.

    Yields
    ------
    pathlib.Path
        Temporary name with the suffixes of `target`; removed when the block fails.
    """
    final = Path(target)
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".mrsproc-", suffix=f"-{final.name}", dir=final.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # mkstemp makes private files; results are ordinary ones
        temporary.replace(final)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def content_hash(*parts: bytes | str) -> str:
    """Return the SHA-256 hex digest of the parts, which cannot run into one another.

    Parameters
    ----------
    *parts : bytes or str
        What determines the content.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> content_hash("ab", "c") == content_hash("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def cache_folder() -> Path:
    """Return the folder for results that can be computed again.

    The environment variable ``MRSPROC_CACHE`` names another than the platform's own.

    Returns
    -------
    pathlib.Path
        The folder; it need not exist yet.
    """
    chosen = os.environ.get("MRSPROC_CACHE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("mrsproc")
