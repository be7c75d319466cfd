"""What a database complains of, as a sentence that says what to do."""

import sqlite3
from collections.abc import Mapping

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

FULL = "The disk is full. Make room, then try again."
BUSY = "Others are writing and took too long. Try again in a moment."
READ_ONLY = "It can only be read. Make the file and its folder writable, or let DATABASE_URL name another database."
UNREACHABLE = "It cannot be opened. Make the folder writable, or let DATABASE_URL name another database."
DAMAGED = (
    "It is damaged, or no database of ours. Put a copy from before in its place, or move it away to begin anew; "
    "the files -wal and -shm beside it belong to it."
)
TAKEN_AWAY = (
    "Its file was deleted or moved away while this program ran. Put it back, or start the program again to begin anew."
)
DISK = "The disk fails to read or write. Check it, and the room on it, then try again."
AWAY = "The server does not answer. Check that it runs and that DATABASE_URL is right, then try again."
DENIED = "The server does not let this user do that. Check name and password in DATABASE_URL, and what it may do."
MISSING = "The server has no such database. Make it (createdb), or correct DATABASE_URL."
FOREIGN = "Its tables are not what this program left there. Let DATABASE_URL name another database."
UNKNOWN = "Try again; if that does not help, look into the database's log."

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
    """What a visitor has to know, then what is for whoever can mend it."""
    return f"Drawings cannot be saved or read just now. For whoever runs this program: {why}"


def what_to_do(error: Exception) -> str:
    """What to do about it, and what happened."""
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
    if isinstance(error, DBAPIError):  # the driver says so itself: nobody there, or no longer
        return _unreached(str(cause))
    return UNKNOWN


def _unreached(text: str) -> str:
    """Before a connection stands, PostgreSQL's driver has no codes, only words."""
    if "does not exist" in text and "database" in text:
        return MISSING
    return DENIED if "authentication" in text or "role" in text else AWAY
