"""A few of the kills of the benchmark, whose full number `python -m tests.benchmarks.crashes` does."""

import random
from pathlib import Path

from tests.benchmarks.crashes import kill_and_look


def test_processes_killed_at_random_moments_leave_a_house_that_stands(tmp_path: Path) -> None:
    phases = ("checkpoint", "evaluation", "promote")
    kills = list(kill_and_look(phases, len(phases), tmp_path / "house", random.Random(1)))
    assert [(kill.phase, kill.problem) for kill in kills] == [(phase, "") for phase in phases]
    assert kills[0].ending == "interrupted"
    assert kills[0].way_on in ("resumed", "started again")
