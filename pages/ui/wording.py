"""Phrases that several pages share: counts, dates, durations, names and percentages in words."""

from datetime import datetime

from mnist_core import Evaluation

NO_NAME = "(no name)"
LEARNED_FROM_DRAWINGS = "This version learned from corrected drawings. If these are among them, the figure is too high."


def counted(count: int, thing: str) -> str:
    """Return a count with its noun, such as `1 drawing` or `2,000 drawings`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def date_and_time(moment: datetime | str) -> str:
    """Return a UTC time, or its ISO 8601 form, as `28 Nov 2026, 14:05 UTC`."""
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{when:%d %b %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """Return a time span, as precise as an estimate deserves: `8 s`, `12 min`, `2.5 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def name_of_writer(writer: str) -> str:
    """Return a writer's name, or a stand-in for those who gave none."""
    return writer or NO_NAME


def interval_in_words(evaluation: Evaluation, decimals: int = 2) -> str:
    """Return the confidence interval of an accuracy, as `95% interval 99.40% to 99.66%`."""
    return f"95% interval {evaluation.interval.percent(decimals)}"


def answered_by_shipped(problem: str) -> str:
    """Return the warning that the shipped version stands in for an active one that has a `problem`."""
    return f"The active version cannot be used, so the shipped one answers. {problem}"
