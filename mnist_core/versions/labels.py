"""What people call versions and write about them: a title and a note each, in `<weights>/labels.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from filelock import FileLock, Timeout

from mnist_core.errors import WeightsError
from mnist_core.files import weights_dir, write_atomically
from mnist_core.versions.registry import all_versions, version

LONGEST_TITLE, LONGEST_NOTE = 60, 2000


@dataclass(frozen=True)
class Label:
    """What people call a version, and what they wrote about it; empty where they did neither."""

    title: str = ""
    note: str = ""


NOTHING = Label()


def labels() -> Mapping[str, Label]:
    """The label of each version that has one."""
    try:
        held = json.loads((weights_dir() / "labels.json").read_text())
        return {name: Label(**label) for name, label in held.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError):  # a label is not worth failing for
        return {}


def label_version(name: str, *, title: str | None = None, note: str | None = None) -> None:
    """Give a version a title or a note; `None` leaves one as it is, an empty one takes it away.

    Raises:
        WeightsError: there is no such version; the title is taken, or too long; it cannot be written.
    """
    version(name)
    given = {"title": title, "note": note}
    changes = {field: text.strip() for field, text in given.items() if text is not None}
    if len(changes.get("title", "")) > LONGEST_TITLE or len(changes.get("note", "")) > LONGEST_NOTE:
        raise WeightsError(f"A title has at most {LONGEST_TITLE} letters, a note {LONGEST_NOTE:,}. Shorten it.")
    try:
        with FileLock(weights_dir() / ".labelling", timeout=30):
            held = dict(labels())
            others = {other.name for other in all_versions()} - {name}
            taken = others | {held[other].title for other in others & held.keys()}
            if changes.get("title") and changes["title"] in taken:
                raise WeightsError(f"Another version is called {changes['title']!r} already. Choose another title.")
            held[name] = replace(held.get(name, NOTHING), **changes)
            content = {name: asdict(label) for name, label in held.items() if label != NOTHING}
            write_atomically(weights_dir() / "labels.json", json.dumps(content, indent=1) + "\n")
    except (OSError, Timeout) as error:
        raise WeightsError(f"{weights_dir()} cannot be written ({error}). Nothing was changed.") from error


def named(text: str) -> str:
    """The name of the version that has this title, or this name.

    Raises:
        WeightsError: there is none.
    """
    for name, label in labels().items():
        if text and label.title == text:
            return name
    return version(text).name
