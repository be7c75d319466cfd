"""Drawings for tests: no two alike."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
from PIL import Image

from mnist_core.drawings.drawing import StoredDrawing

BEGIN = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def drawing(number: int = 0, **changes: Any) -> StoredDrawing:
    """A drawing; those with a higher number are later."""
    random = np.random.default_rng(number)
    png = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (40, 30), np.uint8)).save(png, "PNG")
    values: dict[str, Any] = {
        "id": str(uuid4()),
        "time": BEGIN + timedelta(seconds=number),
        "writer": "Ann",
        "label": number % 10,
        "png": png.getvalue(),
        "strokes": json.dumps([random.integers(0, 280, (5, 2)).tolist()]),
        "frame": random.integers(0, 256, 784, np.uint8).tobytes(),
        "digit": (number + 1) % 10,
        "confidence": float(random.random()),
        "accepted": number % 3 > 0,
        "version": "best",
    }
    return StoredDrawing(**values | changes)
