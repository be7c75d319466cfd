"""A PostgreSQL server of one's own, in a temporary folder, for as long as it is needed."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

LONGEST = 60
"""Seconds to start or stop."""


@dataclass(frozen=True)
class Server:
    """A server that listens on a socket in its folder."""

    folder: Path
    numbers: Iterator[int]

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """As its master, each statement by itself."""
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def new_database(self) -> str:
        """The address of an empty database, in the form in which platforms give it."""
        name = f"drawings{next(self.numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgres://postgres@/{name}?host={self.folder}"

    def folder_of(self, url: str) -> Path:
        """Where the server keeps a database that `new_database` made."""
        name = url.split("/")[3].split("?")[0]
        with self.connect() as connection:
            (row,) = connection.execute("SELECT oid FROM pg_database WHERE datname = %s", [name])
        return self.folder / "data" / "base" / str(row[0])


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; Debian keeps them out of PATH."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def why_not() -> str | None:
    """Why there can be no server here; `None` where there can."""
    if programs() is None:
        return "PostgreSQL is not here: apt-get install postgresql"
    if os.geteuid() == 0 and (shutil.which("setpriv") is None or not _has_user()):
        return "PostgreSQL does not run as root, and there is no user postgres to run it as"
    return None


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server]:
    """Start a server, and stop it in the end; one that is not `durable` does not wait for the disk."""
    binaries = programs()
    assert binaries is not None
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        begin = [*_as_a_user(), str(binaries / "initdb"), "-D", f"{folder}/data", "-U", "postgres", "-A", "trust"]
        subprocess.run(
            [*begin, "-E", "UTF8", "--no-sync"], check=True, capture_output=True, cwd=folder, timeout=LONGEST
        )
        settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "on" if durable else "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            command = [*_as_a_user(), str(binaries / "postgres"), "-D", f"{folder}/data", *options]
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            started = Server(folder, count())
            _wait_for(started, process)
            yield started
        finally:
            process.send_signal(signal.SIGINT)  # end at once, but cleanly
            process.wait(LONGEST)


def _wait_for(started: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + LONGEST
    while True:
        try:
            started.connect().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: {(started.folder / 'log').read_text()}") from None
            time.sleep(0.05)


def _as_a_user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--pdeathsig", "INT", "--"]


def _has_user() -> bool:
    import pwd  # not on Windows

    try:
        return bool(pwd.getpwnam("postgres"))
    except KeyError:
        return False
