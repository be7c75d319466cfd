"""Fetch MNIST's files from the mirrors that torchvision knows."""

import gzip
import hashlib
import http.client
import io
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 20
CHUNK_BYTES = 1 << 16

OnDownload = Callable[[str, int, int], None]
"""Called with the file's name, the bytes fetched so far, and the total (0 where the server does not say)."""


def fetch(
    file: str, md5: str, size: int, *, mirrors: Sequence[str] = (), on_download: OnDownload | None = None
) -> bytes:
    """Return the unpacked content of `file`, from the first mirror that has the right one.

    Args:
        file: name of the unpacked file; mirrors hold it as `file`.gz.
        md5: the checksum that the unpacked content must have.
        size: bytes of the unpacked content; no mirror can make this take much more memory.
        mirrors: base URLs that end in a slash; torchvision's by default.
        on_download: called after each chunk.

    Raises:
        OSError: no mirror has the file; the message says for each what went wrong.
    """
    problems = []
    for mirror in mirrors or _torchvision_mirrors():
        try:
            packed = _download(f"{mirror}{file}.gz", file, size, on_download)
            with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacking:
                content = unpacking.read(size + 1)
        except (OSError, ValueError, EOFError, zlib.error, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)  # urllib wraps what the operating system said
            problems.append(f"{urlsplit(mirror).hostname}: {getattr(cause, 'strerror', None) or cause}")
            continue
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == md5:
            return content
        problems.append(f"{urlsplit(mirror).hostname}: the file there is not MNIST's")
    raise OSError("; ".join(problems))


def _download(url: str, file: str, unpacked_size: int, on_download: OnDownload | None) -> bytes:
    chunks = []
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
        total = int(response.headers.get("Content-Length") or 0)
        done = 0
        while chunk := response.read(CHUNK_BYTES):
            chunks.append(chunk)
            done += len(chunk)
            if done > unpacked_size + CHUNK_BYTES:
                raise ValueError("the file there is larger than MNIST's")
            if on_download is not None:
                on_download(file, done, total)
    return b"".join(chunks)


def _torchvision_mirrors() -> Sequence[str]:
    from torchvision.datasets import MNIST  # importing torchvision takes a second, and only downloads need it

    mirrors: Sequence[str] = MNIST.mirrors
    return mirrors
