"""Turn errors of a database into sentences that say what to do."""

import sqlite3
from collections.abc import Mapping

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

FULL = "The disk is full. Make room, then try again."
BUSY = "Other programs kept it busy for too long. Try again in a moment."
READ_ONLY = "It can only be read. Make the file and its folder writable, or let DATABASE_URL name another database."
UNREACHABLE = "It cannot be opened. Make the folder writable, or let DATABASE_URL name another database."
DAMAGED = (
    "It is damaged, or not a database of this program. Restore it from a backup, or move it away to start with an "
    "empty one, together with the files -wal and -shm beside it."
)
TAKEN_AWAY = (
    "Its file was deleted or moved away while this program ran. Put it back, or restart the program to start with an "
    "empty one."
)
DISK = "The disk cannot be read or written. Check the disk and its free space, then try again."
AWAY = "The server does not answer. Check that it runs and that DATABASE_URL is right, then try again."
DENIED = (
    "The server does not allow this user to do that. Check name and password in DATABASE_URL, and the user's rights."
)
MISSING = "The server has no such database. Create it (createdb), or correct DATABASE_URL."
FOREIGN = "Its tables are not those of this program. Let DATABASE_URL name another database."
UNKNOWN = "Try again; if that does not help, look in the database's log."

_SQLITE: Mapping[str, str] = {
    "SQLITE_FULL": FULL,
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_CANTOPEN": UNREACHABLE,
    "SQLITE_PERM": UNREACHABLE,
    "SQLITE_AUTH": UNREACHABLE,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_IOERR": DISK,
    "SQLITE_ERROR": FOREIGN,
}
_POSTGRESQL: Mapping[str, str] = {  # by SQLSTATE, or the two characters of its class
    "53100": FULL,
    "53": BUSY,  # too many connections, out of memory
    "55": BUSY,
    "57014": BUSY,
    "40": BUSY,
    "25006": READ_ONLY,
    "08": AWAY,
    "57": AWAY,  # shutting down, starting up
    "28": DENIED,
    "42501": DENIED,
    "3D": MISSING,
    "42": FOREIGN,
    "XX": DAMAGED,
    "58": DISK,
}


def not_now(why: str) -> str:
    """Return a message: first what a visitor has to know, then what the operator has to do."""
    return f"Drawings cannot be saved or read just now. For whoever runs this program: {why}"


def what_to_do(error: Exception) -> str:
    """Return what to do about an error, followed by the error."""
    if isinstance(error, PoolTimeoutError):
        return BUSY
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return f"{_remedy(error, cause)} ({str(cause).strip().splitlines()[0] if str(cause).strip() else cause!r})"


def _remedy(error: Exception, cause: BaseException) -> str:
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", "")
        return next((remedy for known, remedy in _SQLITE.items() if name.startswith(known)), UNKNOWN)
    state = getattr(cause, "sqlstate", None)
    if state:
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2], UNKNOWN)
    if isinstance(cause, OSError):
        return UNREACHABLE
    if isinstance(error, DBAPIError):  # the driver never reached the server, or lost it
        return _unreached(str(cause))
    return UNKNOWN


def _unreached(text: str) -> str:
    """Choose a remedy by the error's text; before it is connected, PostgreSQL's driver gives no codes."""
    if "does not exist" in text and "database" in text:
        return MISSING
    return DENIED if "authentication" in text or "role" in text else AWAY
