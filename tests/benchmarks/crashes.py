"""Kill processes at random moments of all that they do, and check what is left.

    MNIST_DATA=… python -m tests.benchmarks.crashes [--starts 30] [--seed 0]

Each start is a real process, killed with SIGKILL while it downloads MNIST (from a slow server on this machine), trains,
writes a checkpoint, evaluates and saves the version, or makes another version active. Afterwards the pages must open,
the active version must classify a drawing, the list of versions must hold those that were whole before and no other,
the run must be called interrupted (or finished, if it was), and the same training, resumed if possible and started
again otherwise, must finish. Without MNIST's files the download is left out.
"""

import argparse
import gzip
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from streamlit.testing.v1 import AppTest

from mnist_core import RECIPES, DigitClassifier, Recipe, files
from mnist_core.files import data_dir
from mnist_core.images.datasets import MNIST_FILES, mnist_is_here
from mnist_core.images.strokes import SETTINGS, render
from mnist_core.runs import jobs, processes
from mnist_core.runs.events import Download, Epoch, Evaluating, Loaded
from mnist_core.runs.folder import RunRequest, write_run
from mnist_core.runs.status import RunStatus, queued_runs, read_run, running_run
from mnist_core.versions import registry
from mnist_core.versions.active import active_name, history, promote

ROOT = Path(__file__).parents[2]
PAGES = ("pages/1_Train.py", "pages/2_Models.py")
LONGEST = 120
"""Seconds; whatever takes longer has not survived."""
SEVEN = [(60, 30), (300, 0), (690, 40), (560, 330), (480, 520), (380, 790), (330, 1000)]
FIRST, SECOND = "runs/20200101-000000-first", "runs/20200101-000001-second"

QUICK = RunRequest(RECIPES["quick"].override(epochs=1), "sample")
DOWNLOADED = replace(QUICK, data="mnist")
LEARNING = RunRequest(RECIPES["article"].override(epochs=15), "sample")
HEAVY = RunRequest(Recipe(name="heavy", hidden=(1024, 1024), batch_size=1000, epochs=10), "sample")
"""Steps are few and its checkpoints large: it spends a good part of its time writing them."""

DOWNLOADING = """
import sys
from torchvision.datasets import MNIST
from mnist_core.runs import worker
MNIST.mirrors = [sys.argv.pop(1)]
worker.main()
"""
PROMOTING = """
import sys
from mnist_core.versions.active import promote
print("begun", flush=True)
while True:
    for name in sys.argv[1:]:
        promote(name)
"""


@dataclass(frozen=True)
class Kill:
    """The outcome for one process that was killed."""

    phase: str
    seconds: float
    """Into its phase."""
    half_written: int
    """Files that it was writing when it was killed."""
    ending: str
    """What its run was called then: `interrupted`, or `finished`."""
    way_on: str
    """`resumed`, `started again`, or `none needed`."""
    problem: str
    """Empty where all was as it should be."""


def kill_and_look(phases: Sequence[str], starts: int, folder: Path, chance: random.Random) -> Iterator[Kill]:
    """Kill so many processes, in the phases in turn, in a house of their own in `folder`."""
    with _house(folder):
        for number in range(starts):
            yield _kill_one(phases[number % len(phases)], folder, chance)


def phases_here() -> list[str]:
    """The phases that can be tried on this machine."""
    return [phase for phase in PHASES if phase != "download" or mnist_is_here()]


def _kill_one(phase: str, folder: Path, chance: random.Random) -> Kill:
    before = {version.name for version in registry.all_versions()}
    seconds, half_written, ending, way_on, problem = 0.0, 0, "", "none needed", ""
    try:
        run, seconds = PHASES[phase](folder, chance)
        half_written = sum(1 for path in folder.rglob(".*.*") if path.is_file() and path.suffix != ".lock")
        if run is not None:
            run = read_run(run.folder)
            ending = run.state
            _require(ending in ("interrupted", "finished"), f"the run is called {ending}")
            before |= {f"runs/{run.id}"} if ending == "finished" else set()
        _look_around(before)
        if run is not None and ending == "interrupted":
            way_on = "resumed" if run.resumable_epoch else "started again"
            _bring_to_its_end(run)
    except Exception as error:  # counted, and shown at the end
        problem = f"{type(error).__name__}: {error}"
    for path in folder.rglob(".*.*"):  # what was half written, so that the next one's is counted alone
        path.unlink(missing_ok=True)
    return Kill(phase, seconds, half_written, ending, way_on, problem)


def _look_around(versions: set[str]) -> None:
    """What must hold whatever was killed."""
    held = registry.all_versions()
    names = {version.name for version in held}
    _require(names == versions, f"versions that are whole: {sorted(versions)}; listed: {sorted(names)}")
    for version in held:
        registry.load_version(version.folder)
    changes = history()
    _require(all(change.since for change in changes), "a line of the history is damaged")
    _require(changes[-1].name == active_name(), "the history does not end with the active version")
    _require(active_name() in (FIRST, SECOND), f"{active_name()} answers")
    seven = render([np.array(SEVEN, float)], SETTINGS[0])
    _require(DigitClassifier.load().predict(seven).digit == 7, "a seven is not read as one")
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=LONGEST).run()
    _require(not page.exception, f"app.py: {page.exception}")
    _require(not any("cannot be used" in warning.value for warning in page.warning), "the active version is not used")
    for path in PAGES:
        if (ROOT / path).exists():
            page = page.switch_page(path).run()
            _require(not page.exception, f"{path}: {page.exception}")


def _bring_to_its_end(run: RunStatus) -> None:
    """Resume an interrupted run, or start the same again, and wait until it has finished."""
    if run.data == "mnist":
        with _slow_server(seconds=0) as mirror:
            run = _start_downloading(mirror)
            _wait(lambda: read_run(run.folder).ended, run)
    else:
        run = jobs.resume(run) if run.resumable_epoch else jobs.start(RunRequest(run.recipe, run.data))
        _wait(lambda: read_run(run.folder).ended, run)
    run = read_run(run.folder)
    _require(run.state == "finished", f"the second try {run.state}: {run.message}\n{run.log}")
    epochs = [epoch.epoch for epoch in run.of(Epoch)]
    _require(epochs == list(range(1, run.recipe.epochs + 1)), f"epochs reported: {epochs}")
    registry.load_version(run.folder)


def _while_downloading(folder: Path, chance: random.Random) -> tuple[RunStatus, float]:
    shutil.rmtree(folder / "data", ignore_errors=True)
    with _slow_server(seconds=2) as mirror:
        run = _start_downloading(mirror)
        _wait(lambda: read_run(run.folder).of(Download), run)
        seconds = _kill(read_run(run.folder), chance.uniform(0, 2.5))
    for file, (md5, _) in MNIST_FILES.items():
        path = folder / "data" / "MNIST" / "raw" / file
        whole = not path.exists() or hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == md5
        _require(whole, f"{file} is there and not whole")
    return run, seconds


def _while_learning(_folder: Path, chance: random.Random) -> tuple[RunStatus, float]:
    run = jobs.start(LEARNING)
    _wait(lambda: read_run(run.folder).of(Loaded), run)
    return run, _kill(run, chance.uniform(0, 1.5))


def _while_writing_a_checkpoint(_folder: Path, chance: random.Random) -> tuple[RunStatus, float]:
    run = jobs.start(HEAVY)
    epoch = chance.choice((0, 1, 2))
    _wait(lambda: read_run(run.folder).resumable_epoch >= epoch, run)
    _wait(lambda: any(run.folder.glob(".checkpoint.safetensors.*")), run, every=0)
    return run, _kill(run, chance.uniform(0, 0.03))


def _while_evaluating(_folder: Path, chance: random.Random) -> tuple[RunStatus, float]:
    run = jobs.start(QUICK)
    _wait(lambda: read_run(run.folder).of(Evaluating), run, every=0.001)
    return run, _kill(run, chance.uniform(0, 1.0))


def _while_promoting(_folder: Path, chance: random.Random) -> tuple[None, float]:
    command = [sys.executable, "-c", PROMOTING, FIRST, SECOND]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        _require(process.stdout.readline() == b"begun\n", "the process did not begin")
        seconds = chance.uniform(0, 0.5)
        time.sleep(seconds)
        _require(process.poll() is None, "the process ended by itself")
        process.kill()
    promote(FIRST)  # nobody is locked out
    _require(active_name() == FIRST, "what was promoted does not answer")
    return None, seconds


PHASES: dict[str, Callable[[Path, random.Random], tuple[RunStatus | None, float]]] = {
    "download": _while_downloading,
    "training": _while_learning,
    "checkpoint": _while_writing_a_checkpoint,
    "evaluation": _while_evaluating,
    "promote": _while_promoting,
}


def _kill(run: RunStatus, seconds: float) -> float:
    time.sleep(seconds)
    assert run.pid is not None
    try:
        psutil.Process(run.pid).kill()
    except psutil.NoSuchProcess:
        return seconds
    _wait(lambda: read_run(run.folder).ended, run)
    return seconds


def _wait(condition: Callable[[], object], run: RunStatus, every: float = 0.02) -> None:
    end = time.monotonic() + LONGEST
    while not condition():
        _require(time.monotonic() < end, f"{run.id} takes too long\n{run.log}")
        now = read_run(run.folder)
        if now.ended:
            _require(bool(condition()) or now.state == "finished", f"{run.id} {now.state} early: {now.log}")
            return
        time.sleep(every)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


@contextmanager
def _house(folder: Path) -> Iterator[None]:
    """Folders for versions and images, with two versions, of which the first answers."""
    _packed_mnist()  # from where MNIST now lies
    places = {"MNIST_WEIGHTS": str(folder / "weights"), "MNIST_DATA": str(folder / "data")}
    outside = {name: os.environ.get(name) for name in places}
    os.environ.update(places)
    try:
        for name in (FIRST, SECOND):
            shutil.copytree(files.SHIPPED / "article", folder / "weights" / name)
            promote(name)
        promote(FIRST)
        yield
    finally:
        for run in queued_runs():
            jobs.cancel(run)
        if (going_on := running_run()) is not None:
            jobs.cancel(going_on, wait_seconds=10)
        for process in processes.children:
            process.wait(30)
        for name, value in outside.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


def _start_downloading(mirror: str) -> RunStatus:
    """A run on MNIST, in a process that downloads it from `mirror`."""
    folder = files.runs_dir() / f"{time.strftime('%Y%m%d-%H%M%S')}-{time.monotonic_ns() % 10**6}-download"
    folder.mkdir()
    write_run(folder, DOWNLOADED, None, queued=True)
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", DOWNLOADING, mirror, str(folder)], cwd=ROOT, stdout=log, stderr=log
        )
    processes.children.append(process)
    end = time.monotonic() + LONGEST
    while read_run(folder).state == "queued" and process.poll() is None:
        _require(time.monotonic() < end, "the process did not begin")
        time.sleep(0.02)
    return read_run(folder)


@cache
def _packed_mnist() -> dict[str, bytes]:
    """MNIST's files as mirrors have them, by the name asked for."""
    if not mnist_is_here():
        return {}
    raw = data_dir() / "MNIST" / "raw"
    return {f"/{file}.gz": gzip.compress((raw / file).read_bytes(), 1) for file in MNIST_FILES}


@contextmanager
def _slow_server(seconds: float) -> Iterator[str]:
    """A mirror of MNIST on this machine that takes about so long for all files; its address."""
    files = _packed_mnist()
    pause = seconds * (1 << 16) / sum(map(len, files.values()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                for begin in range(0, len(content), 1 << 16):
                    self.wfile.write(content[begin : begin + (1 << 16)])
                    time.sleep(pause)
            except OSError:  # whoever asked was killed
                self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill processes at random moments and see what is left.")
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    kills = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        for kill in kill_and_look(phases_here(), options.starts, folder, random.Random(options.seed)):
            kills.append(kill)
            print(f"{len(kills)}: {kill}", file=sys.stderr, flush=True)

    table = Table(title=f"Processes killed with SIGKILL, {len(kills)} starts")
    headings = ("killed during", "kills", "while a file was half written", "interrupted", "finished just before")
    for heading in (*headings, "resumed", "started again", "survived"):
        table.add_column(heading, justify="left" if heading == "killed during" else "right")
    for phase in phases_here():
        those = [kill for kill in kills if kill.phase == phase]
        counts = (
            len(those),
            sum(kill.half_written > 0 for kill in those),
            sum(kill.ending == "interrupted" for kill in those),
            sum(kill.ending == "finished" for kill in those),
            sum(kill.way_on == "resumed" for kill in those),
            sum(kill.way_on == "started again" for kill in those),
            sum(not kill.problem for kill in those),
        )
        table.add_row(phase, *map(str, counts))
    Console(width=130).print(table)
    for kill in kills:
        if kill.problem:
            print(f"{kill.phase}, after {kill.seconds:.3f} s: {kill.problem}")
    print(f"{sum(not kill.problem for kill in kills)} of {len(kills)} survived")


if __name__ == "__main__":
    main()
