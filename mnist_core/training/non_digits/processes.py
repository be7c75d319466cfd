"""Non-digits drawn by several processes at once.

The processes are started as commands rather than by `multiprocessing`, which would run the program that trains once
more in each of them. Each does what `worker` says; their chunks are read in turn.
"""

import math
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_core.training.non_digits.drawing import CHUNK, draw_chunk
from mnist_core.training.skeletons import FINE

WORKER = "mnist_core.training.non_digits.worker"
CHUNKS_WORTH_A_PROCESS = 20
"""A process that is started for fewer chunks takes longer to start than to draw."""


def draw_non_digits(count: int, seed: int, processes: int | None = None) -> NDArray[np.uint8]:
    """Return line maps (count, 56, 56) of drawings that are no digit; about 1 ms each.

    They depend on the seed only, not on the number of processes: by default one for each core, if there is enough to
    draw for it. An exception in this process, such as KeyboardInterrupt, ends the others at once.
    """
    chunks = math.ceil(count / CHUNK)
    if processes is None:
        processes = min(_cores(), chunks // CHUNKS_WORTH_A_PROCESS)
    sizes = [min(CHUNK, count - number * CHUNK) for number in range(chunks)]
    maps = np.empty((count, FINE, FINE), np.uint8)
    drawn = _from_processes(sizes, seed, processes) if processes > 1 else _from_here(sizes, seed)
    with closing(drawn):
        for number, chunk in enumerate(drawn):
            maps[number * CHUNK :][: len(chunk)] = chunk
    return maps


def _cores() -> int:
    """Return how many cores this process, and each it trains together with on this machine, has for itself."""
    return max(1, (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))


def _from_here(sizes: list[int], seed: int) -> Generator[NDArray[np.uint8]]:
    for number, size in enumerate(sizes):
        yield draw_chunk(seed, number, size)


def _from_processes(sizes: list[int], seed: int, processes: int) -> Generator[NDArray[np.uint8]]:
    with ExitStack() as stack:
        started = []
        for first in range(processes):
            started.append(_start(seed, first, processes, len(sizes)))
            stack.callback(_end, started[-1])
        for number, size in enumerate(sizes):
            output = started[number % processes].stdout
            assert output is not None
            pixels = output.read(CHUNK * FINE * FINE)
            if len(pixels) < CHUNK * FINE * FINE:  # the process could not go on; its log says why
                yield draw_chunk(seed, number, size)
            else:
                yield np.frombuffer(pixels, np.uint8).reshape(CHUNK, FINE, FINE)[:size]


def _start(seed: int, first: int, step: int, end: int) -> subprocess.Popen[bytes]:
    """Start a process that draws the chunks first, first + step, … before `end`."""
    return subprocess.Popen(
        [sys.executable, "-m", WORKER, *map(str, (seed, first, step, end))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        start_new_session=True,  # Ctrl-C is for the process that trains, which ends this one
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()
