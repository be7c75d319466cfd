"""The program of a process that draws non-digits for another one: it writes line maps to its standard output."""

import os
import sys

import torch

from mnist_core.training.non_digits.drawing import draw_chunk


def write_chunks(seed: int, first: int, step: int, end: int) -> None:
    """Draw the chunks first, first + step, … before `end`, and write them until nobody reads them any more."""
    torch.set_num_threads(1)
    for number in range(first, end, step):
        try:
            sys.stdout.buffer.write(draw_chunk(seed, number).tobytes())
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os._exit(1)  # at once: an orderly end would try to write what is left


if __name__ == "__main__":
    write_chunks(*map(int, sys.argv[1:]))
