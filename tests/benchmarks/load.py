"""How many people can draw at once: answer times, processor time, memory and lost answers, beside the echo page.

    python -m tests.benchmarks.load [--visitors 1 20 50 100] [--seconds 20] [--idle 50] [--come-and-go 200]

Each visitor speaks Streamlit's protocol as a browser does, and sends a real pen digit every 2 s. Time is taken from
sending a drawing to its answer; a drawing that is not answered within 10 s, or whose visitor could not be served at
all, is lost. Both pages are measured in the same run, so that ratios between them do not depend on the machine. The
pen digits are read from `MNIST_DATA/pen`.

After that, idle tabs, which only do what their page asks of them by itself, and visits that each draw once and leave.
"""

import argparse
import asyncio
import base64
import io
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from PIL import Image
from rich.console import Console
from rich.table import Table
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mnist_core.images.strokes import SETTINGS, Character, read_characters, render, strokes_on_canvas
from tests.browser.driving import PEN_DIGITS, ROOT, serve

PAGES = {
    "this app": (ROOT / "app.py", 'class="seen"'),
    "echo page": (ROOT / "tests" / "benchmarks" / "echo_page.py", 'id="echo"'),
}
"""Scripts, and what the HTML of an answer holds."""
EVERY_SECONDS = 2.0
LONGEST_WAIT = 10.0
DRAWINGS = 200


@dataclass
class Visitor:
    """One browser tab, as the server sees it."""

    answer_mark: str
    canvas: str = ""
    """The id of the canvas."""
    fragment: str = ""
    """The id of the fragment that holds the canvas; empty where the whole page runs again."""
    page: str = ""
    """The hash of the page's script."""
    state: str = ""
    """What the canvas said last, as JSON."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    times: list[float] = field(default_factory=list)
    """Seconds from sending to answer."""
    sent: int = 0
    timers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """What runs fragments again by themselves, by fragment."""

    async def listen(self, socket: ClientConnection) -> None:
        """Take in what the server sends."""
        async for data in socket:
            assert isinstance(data, bytes)
            self._receive(socket, ForwardMsg.FromString(data))

    def _receive(self, socket: ClientConnection, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.page = message.new_session.page_script_hash
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.bidi_component.component_name.endswith("streamlit_drawable_canvas"):
                self.canvas, self.fragment = element.bidi_component.id, message.delta.fragment_id
            elif self.answer_mark in element.html.body:
                self.answered.set()
        elif kind == "script_finished":
            self.ready.set()
        elif kind == "auto_rerun":
            timer = self._rerun_now_and_then(socket, message.auto_rerun.interval, message.auto_rerun.fragment_id)
            if before := self.timers.get(message.auto_rerun.fragment_id):
                before.cancel()
            self.timers[message.auto_rerun.fragment_id] = asyncio.create_task(timer)

    async def _rerun_now_and_then(self, socket: ClientConnection, seconds: float, fragment: str) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self.rerun(socket, fragment, by_itself=True)

    async def rerun(self, socket: ClientConnection, fragment: str = "", *, by_itself: bool = False) -> None:
        """Ask for a run of the page, or of one fragment."""
        message = BackMsg()
        message.rerun_script.page_script_hash = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = by_itself
        if self.state:
            message.rerun_script.widget_states.widgets.add(id=self.canvas, json_value=self.state)
        await socket.send(message.SerializeToString())

    async def draw(self, socket: ClientConnection, drawing: str) -> None:
        """Send a drawing and wait for its answer."""
        self.state = drawing
        self.answered.clear()
        self.sent += 1
        begin = time.perf_counter()
        await self.rerun(socket, self.fragment)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.answered.wait(), LONGEST_WAIT)
            self.times.append(time.perf_counter() - begin)


@contextmanager
def _ended(tasks: dict[str, asyncio.Task[None]]) -> Iterator[None]:
    try:
        yield
    finally:
        for task in tasks.values():
            task.cancel()


async def visit(
    visitor: Visitor, url: str, drawings: Iterator[str], all_here: asyncio.Event, over: asyncio.Event, count: int
) -> None:
    """Open the page, wait for the others, draw `count` digits, one every 2 s, and stay until the end."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    with suppress(ConnectionClosed, OSError), _ended(visitor.timers):
        async with connect(address, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
            listening = asyncio.create_task(visitor.listen(socket))
            with _ended({"listening": listening}):
                await visitor.rerun(socket)
                await asyncio.wait_for(visitor.ready.wait(), 60)
                await all_here.wait()
                await asyncio.sleep(random.uniform(0, EVERY_SECONDS))
                for _ in range(count):
                    begin = time.perf_counter()
                    await visitor.draw(socket, next(drawings))
                    await asyncio.sleep(max(0.0, EVERY_SECONDS - (time.perf_counter() - begin)))
                await over.wait()


def drawings_as_sent() -> list[str]:
    """Pen digits as the canvas sends them, JSON with a PNG and the path of each stroke."""
    setting, sent = SETTINGS[0], []
    for character in read_characters(PEN_DIGITS)[:: max(1, 1000 // DRAWINGS)][:DRAWINGS]:
        png = io.BytesIO()
        Image.fromarray(render(character.strokes, setting)).convert("RGBA").save(png, "PNG")
        source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
        sent.append(json.dumps({"drawing": {"raw": {"objects": _paths(character)}, "data": source}}))
    return sent


def _paths(character: Character) -> list[dict[str, object]]:
    return [
        {"type": "Path", "strokeWidth": SETTINGS[0].pen, "path": [["L", *point] for point in stroke.round(2).tolist()]}
        for stroke in strokes_on_canvas(character.strokes, SETTINGS[0])
    ]


@dataclass(frozen=True)
class Load:
    """What was measured with one number of visitors."""

    times: Sequence[float]
    sent: int
    cpu_seconds: float
    seconds: float
    megabytes: float

    def percentile(self, share: int) -> float:
        """Return an answer time in milliseconds."""
        return statistics.quantiles(self.times, n=100, method="inclusive")[share - 1] * 1000


async def crowd(url: str, server: psutil.Process, mark: str, visitors: int, seconds: float, sent: list[str]) -> Load:
    """Let visitors come one by one, draw for some seconds, and leave together."""
    drawings, all_here, over = itertools.cycle(random.sample(sent, len(sent))), asyncio.Event(), asyncio.Event()
    here = [Visitor(mark) for _ in range(visitors)]
    count = max(1, round(seconds / EVERY_SECONDS)) if seconds else 0
    visits = []
    for visitor in here:
        visits.append(asyncio.create_task(visit(visitor, url, drawings, all_here, over, count)))
        await asyncio.sleep(0.05)
        await asyncio.wait_for(visitor.ready.wait(), 60)  # not part of what is measured
    begin, used = time.perf_counter(), _cpu(server)
    all_here.set()
    while any(visitor.sent < count for visitor in here) and not all(task.done() for task in visits):
        await asyncio.sleep(0.1)
    await asyncio.sleep(EVERY_SECONDS if count else 30)
    took, used = time.perf_counter() - begin, _cpu(server) - used
    megabytes = server.memory_info().rss / 2**20
    over.set()
    await asyncio.gather(*visits)
    times = [value for visitor in here for value in visitor.times]
    return Load(times, visitors * count, used, took, megabytes)


def _cpu(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.user + times.system)


def draw_at_once(servers: dict[str, tuple[str, psutil.Process]], visitors: Sequence[int], seconds: float) -> None:
    """Print answer times, processor time and memory for each number of visitors on each page."""
    sent = drawings_as_sent()
    table = Table(title=f"A pen digit every {EVERY_SECONDS:g} s for {seconds:g} s")
    for heading in ("page", "visitors", "median ms", "95 %", "99 %", "slowest", "CPU ms an answer", "lost", "MB"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for count in visitors:
        for name, (url, server) in servers.items():
            if not table.rows or count == visitors[0]:
                asyncio.run(crowd(url, server, PAGES[name][1], 1, 4, sent))  # to warm up
            load = asyncio.run(crowd(url, server, PAGES[name][1], count, seconds, sent))
            cpu = load.cpu_seconds / max(1, len(load.times)) * 1000
            figures = (load.percentile(50), load.percentile(95), load.percentile(99), max(load.times) * 1000)
            lost, memory = load.sent - len(load.times), load.megabytes
            table.add_row(
                name, f"{count}", *(f"{value:.0f}" for value in figures), f"{cpu:.1f}", f"{lost}", f"{memory:.0f}"
            )
    Console(width=110).print(table)


def idle_tabs(servers: dict[str, tuple[str, psutil.Process]], tabs: int) -> None:
    """Print what tabs cost in which nobody does anything."""
    for name, (url, server) in servers.items():
        load = asyncio.run(crowd(url, server, PAGES[name][1], tabs, 0, []))
        print(f"{tabs} idle tabs of {name}: {load.cpu_seconds / load.seconds:.1%} of a core")


def come_and_go(servers: dict[str, tuple[str, psutil.Process]], visits: int, at_once: int = 20) -> None:
    """Print how memory grows while visitors come, draw once and leave."""
    url, server = servers["this app"]
    sent, memory = drawings_as_sent(), [server.memory_info().rss / 2**20]
    for _ in range(visits // at_once):
        load = asyncio.run(crowd(url, server, PAGES["this app"][1], at_once, EVERY_SECONDS, sent))
        memory.append(load.megabytes)
    print(f"Memory in MB before, and with each {at_once} of {visits} visits: {', '.join(f'{mb:.0f}' for mb in memory)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--visitors", type=int, nargs="*", default=[1, 20, 50, 100])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--idle", type=int, default=50)
    parser.add_argument("--come-and-go", type=int, default=200)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        servers = {}
        for name, (script, _) in PAGES.items():
            before = set(psutil.Process().children())
            weights = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(serve(script, weights))
            (server,) = set(psutil.Process().children()) - before
            servers[name] = (url, server)
        if chosen.visitors:
            draw_at_once(servers, chosen.visitors, chosen.seconds)
        if chosen.idle:
            idle_tabs(servers, chosen.idle)
        if chosen.come_and_go:
            come_and_go(servers, chosen.come_and_go)


if __name__ == "__main__":
    main()
