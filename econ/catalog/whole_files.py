"""Small files, whole: read up to a bound, and written so that they appear complete or not at all.

>>> import tempfile
>>> file = Path(tempfile.mkdtemp()) / "a.json"
>>> text_of(write_new(file, b"{}"), 10, "a note")
'{}'
>>> text_of(file, 1, "a note")
Traceback (most recent call last):
    ...
econ.catalog.reading.BadTable: a.json: larger than 1 bytes: not a note
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from econ.catalog.reading import BadTable, decoded, size_of

READABLE = 0o644


def text_of(path: str | Path, most_bytes: int, what: str) -> str:
    """The text of a UTF-8 file, a mark at its start left out.

    Parameters
    ----------
    path : str or Path
        The file; a pipe is read as well.
    most_bytes : int
        The longest that is read, e.g. 1,000,000.
    what : str
        What it should be, for messages, e.g. ``"a scenario"``.

    Raises
    ------
    BadTable
        For a longer file, a device, or one that is no UTF-8.
    OSError
        For a file that cannot be opened.
    """
    path = Path(path)
    size = 0 if path.is_fifo() else size_of(path)
    if size <= most_bytes:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    if size > most_bytes or len(data) > most_bytes:
        raise BadTable(f"{path.name}: larger than {most_bytes:,} bytes: not {what}")
    return decoded(data, path.name)


@contextlib.contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A file of this process's own beside another, removed at the end if it is still there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".econ-", suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold other processes off a folder's files while one is read and written anew."""
    try:
        import fcntl
    except ImportError:  # Windows: the last one to write wins, whole
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)  # ends with the process at the latest
        yield
    finally:
        os.close(handle)


def replace(path: Path, data: bytes, *, is_private: bool = False) -> Path:
    """Write a file, over one that is there: a reader meets the old one or the new, never half."""
    with draft_of(path) as draft:
        draft.write_bytes(data)
        if not is_private:  # as temporary files are
            os.chmod(draft, READABLE)
        os.replace(draft, path)
    return path


def write_new(path: Path, data: bytes) -> Path:
    """Write a file where none is.

    Raises
    ------
    FileExistsError
        Where there is one, perhaps since a moment; it is left as it is, and a free name is given.
    """
    check_free(path)
    with draft_of(path) as draft:
        draft.write_bytes(data)
        os.chmod(draft, READABLE)
        try:
            os.link(draft, path)  # fails where something has appeared there meanwhile
        except FileExistsError:
            check_free(path)
            raise
        except (OSError, AttributeError):  # a file system without links
            with path.open("xb") as file:
                try:
                    file.write(data)
                except OSError:
                    path.unlink()
                    raise
    return path


def check_free(path: Path) -> None:
    """Refuse a name under which something lies, with a free one."""
    if path.exists() or path.is_symlink():
        free = free_name(path).name
        raise FileExistsError(
            f"{path.name} is there already and is left as it is; a free name: {free}"
        )


def check_writable(path: str | Path) -> None:
    """Refuse, before any work, a name that could not be written after it.

    Raises
    ------
    FileExistsError
        Where something lies under the name.
    FileNotFoundError
        Where the folder does not exist.
    PermissionError
        Where the folder takes no file.
    """
    path = Path(path)
    check_free(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.name}: the folder {path.parent.name!r} is not there")
    try:
        with draft_of(path):
            pass
    except OSError as error:
        raise PermissionError(
            f"{path.name}: the folder {path.parent.name!r} takes no file: {error.strerror}"
        ) from None


def free_name(path: str | Path) -> Path:
    """The path itself if nothing is there, else the first free one of ``name-2``, ``name-3``, …"""
    path = Path(path)
    candidate, number = path, 1
    while candidate.exists() or candidate.is_symlink():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate
