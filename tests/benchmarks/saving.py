"""Are drawings lost or doubled when many people save at once and the server is killed in the middle?

    python -m tests.benchmarks.saving [--clients 20] [--drawings 50] [--kills 2]

On SQLite and on PostgreSQL: client processes save drawings at once through a small server process that uses
`DrawingStore`. It is killed with SIGKILL and started again while they do. A client that gets no answer saves the same
drawing again, under the same id, until it is told that it is kept. Then the database is opened again and counted.
Without PostgreSQL's server programs, SQLite only.
"""

import argparse
import base64
import http.client
import json
import multiprocessing
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

ROOT = Path(__file__).parents[2]
NEW, KNOWN = 201, 200
LONGEST = 240
"""Seconds for all to be saved."""

SERVER = """
import base64, json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from datetime import datetime
from mnist_core.drawings.store import DrawingStore, StoredDrawing
from mnist_core.errors import StoreError

store = DrawingStore(sys.argv[1])

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        values = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        values |= {name: base64.b64decode(values[name]) for name in ("png", "frame")}
        values["time"] = datetime.fromisoformat(values["time"])
        try:
            new = store.add(StoredDrawing(**values))
            self.send_response(201 if new else 200)
        except StoreError as error:
            print(error, file=sys.stderr)
            self.send_response(503)
        self.end_headers()

    def log_message(self, *_):
        pass

class Server(ThreadingHTTPServer):
    request_queue_size = 100

Server(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""


class Told(NamedTuple):
    """What a client says of a drawing that was acknowledged."""

    id: str
    content: str
    attempts: int
    errors: int
    again: bool
    """It had been kept at an earlier attempt, whose answer was lost."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    acknowledged: int
    found: int
    doubled: int
    lost: int
    again: int
    """Acknowledged at a later attempt than the one that kept them: the server was killed before it could answer."""
    attempts: int
    errors: int
    """Times the server said that the database had failed."""
    seconds: float


def save(client: int, count: int, port: int, told: "Queue[Told]") -> None:
    """A client: save, again and again until it is acknowledged, and tell which is."""
    for number in range(count):
        content = f'["client {client}, drawing {number}"]'
        body = request(client, number, content)
        attempts = errors = status = 0
        while True:
            attempts += 1
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("POST", "/", body)
                status = connection.getresponse().status
                connection.close()
                if status in (NEW, KNOWN):
                    break
                errors += 1
            time.sleep(0.05)
        told.put(Told(json.loads(body)["id"], content, attempts, errors, status == KNOWN))


def request(client: int, number: int, content: str) -> bytes:
    """A drawing as a client sends it; its strokes say which one it is, whatever its id."""
    values = {
        **{"id": str(uuid4()), "time": "2026-11-23T12:00:00+00:00", "writer": f"client {client}", "label": number % 10},
        **{"png": BLANK, "strokes": content, "frame": base64.b64encode(bytes([number]) * 784).decode()},
        **{"digit": 1, "confidence": 0.5, "accepted": True, "version": "best"},
    }
    return json.dumps(values).encode()


BLANK = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
"""A PNG of one black pixel, in base64."""


@contextmanager
def serving(url: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """The server, until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", SERVER, url, str(port)], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run(url: str, clients: int, drawings: int, kills: int) -> Outcome:
    """All clients at once; the server is killed each time that a further share of the drawings is acknowledged."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = multiprocessing.get_context("forkserver")
    told: Queue[Told] = processes.Queue()
    crowd = [processes.Process(target=save, args=(client, drawings, port, told)) for client in range(clients)]
    total = clients * drawings
    heard: list[Told] = []
    begin = time.monotonic()
    for person in crowd:
        person.start()
    try:
        for part in range(1, kills + 2):
            with serving(url, port):
                while len(heard) < total * part // (kills + 1):
                    heard.append(told.get(timeout=LONGEST))
        seconds = time.monotonic() - begin
    finally:
        for person in crowd:
            person.kill() if len(heard) < total else person.join()
    return count(url, heard, seconds)


def count(url: str, heard: list[Told], seconds: float) -> Outcome:
    """Open the database again, and compare what is there with what was acknowledged."""
    from mnist_core.drawings.store import DrawingStore

    with DrawingStore(url) as store:
        found = [(drawing.id, drawing.strokes) for drawing in store.find()]
    contents = Counter(content for _, content in found)
    acknowledged = {(one.id, one.content) for one in heard}
    return Outcome(
        acknowledged=len(acknowledged),
        found=len(found),
        doubled=sum(times - 1 for times in contents.values()),
        lost=len(acknowledged - set(found)),
        again=sum(one.again for one in heard),
        attempts=sum(one.attempts for one in heard),
        errors=sum(one.errors for one in heard),
        seconds=seconds,
    )


def main() -> None:
    from tests import postgres

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("clients", 20), ("drawings", 50), ("kills", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        urls = {"SQLite": f"sqlite:///{folder}/drawings.sqlite3"}
        if reason := postgres.why_not():
            print(reason)
        else:
            urls["PostgreSQL"] = stack.enter_context(postgres.server(durable=True)).new_database()
        for name, url in urls.items():
            outcome = run(url, chosen.clients, chosen.drawings, chosen.kills)
            print(
                f"{name}: {outcome.acknowledged:,} acknowledged, {outcome.found:,} found, {outcome.doubled} doubled, "
                f"{outcome.lost} lost, in {outcome.seconds:.1f} s, of which {chosen.kills + 1} starts of the server "
                f"({outcome.attempts:,} attempts; {outcome.again} drawings were kept at one whose answer was lost; "
                f"the database failed {outcome.errors} times)",
                flush=True,
            )


if __name__ == "__main__":
    main()
