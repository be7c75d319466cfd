"""Versions as files: a zip file of weights and record, or ONNX for other programs."""

import io
import re
import shutil
import struct
import zipfile
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import torch
from numpy.typing import NDArray

from mnist_core.errors import MnistCoreError, WeightsError
from mnist_core.evaluation.evaluation import evaluate
from mnist_core.files import runs_dir
from mnist_core.images.datasets import load_dataset, mnist_is_here
from mnist_core.network.calibration import Calibration
from mnist_core.network.classifier import DigitClassifier
from mnist_core.network.model import MLP
from mnist_core.versions.records import Record
from mnist_core.versions.registry import (
    MAX_NAME_LENGTH,
    RECORD_FILE,
    WEIGHTS_FILE,
    LoadedVersion,
    Version,
    load_version,
    rebuild,
    write_version,
)

if TYPE_CHECKING:
    import onnx

MAX_BYTES = {WEIGHTS_FILE: 100_000_000, RECORD_FILE: 2_000_000}
"""Unpacked."""
MAX_ENTRIES = 100
"""Files in an uploaded zip file; two are read."""
TOLERANCE = 0.001
"""Another machine may round differently: accuracy may differ this much from what the record says."""

_ENTRY = b"PK\x01\x02"  # begins each entry in a zip file's list of contents
_DAMAGE = (
    *(OSError, LookupError, ValueError, RuntimeError, NotImplementedError, EOFError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
_REMEDY = "Upload a zip file that was downloaded from the Models page."


def to_zip(chosen: Version) -> bytes:
    """Pack the two files of a version, as `from_zip` takes them.

    Raises:
        WeightsError: it is damaged.
    """
    load_version(chosen.folder)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (WEIGHTS_FILE, RECORD_FILE):
            archive.write(chosen.folder / file, file)
    return content.getvalue()


def from_zip(content: bytes) -> Version:
    """Add a version that was trained elsewhere to your own.

    It is checked first: the weights match the record and are finite numbers, and on the test images, if they are here,
    the version scores what its record says.

    Raises:
        WeightsError: it is not a version, or not what its record says; nothing is added.
    """
    files = _unpack(content)
    try:
        record = Record.from_json(files[RECORD_FILE])
    except ValueError as error:
        raise WeightsError(f"{RECORD_FILE} is not the record of a version ({error}). {_REMEDY}") from error
    name = record.recipe.name
    if len(name) > MAX_NAME_LENGTH:
        raise WeightsError(f"The name of its recipe is longer than {MAX_NAME_LENGTH} letters. {_REMEDY}")
    _check(LoadedVersion(rebuild(files[WEIGHTS_FILE], record, WEIGHTS_FILE), record))
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    folder = runs_dir() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{slug}-uploaded-{uuid4().hex[:4]}"
    try:
        return write_version(folder, files[WEIGHTS_FILE], record)
    except WeightsError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _unpack(content: bytes) -> dict[str, bytes]:
    """Unpack the two files of a version in memory, never more than `MAX_BYTES` of each."""
    if len(content) > sum(MAX_BYTES.values()) or content.count(_ENTRY) > MAX_ENTRIES:
        raise WeightsError(f"The file is too large, or holds too many files, to be a version. {_REMEDY}")
    files = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for file, limit in MAX_BYTES.items():
                entry = archive.getinfo(file)
                if entry.file_size > limit:
                    raise WeightsError(f"{file} is larger than {limit:,} bytes. Upload a smaller version.")
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise NotImplementedError("an unusual compression")  # others unpack without a limit
                with archive.open(entry) as unpacked:
                    files[file] = unpacked.read(limit)  # reading all at once would unpack more than `file_size`
    except _DAMAGE as error:
        raise WeightsError(f"The file is not a version ({error}). {_REMEDY}") from error
    return files


def _check(uploaded: LoadedVersion) -> None:
    """Refuse weights that are not finite, and a version that scores otherwise than its record says."""
    if not all(torch.isfinite(tensor).all() for tensor in uploaded.model.state_dict().values()):
        raise WeightsError("Some of its weights are not finite numbers. Train it again, then upload it.")
    record, claimed = uploaded.record, uploaded.record.evaluation
    if record.data == "mnist" and not mnist_is_here():
        return
    try:
        test = load_dataset(record.data).test
    except MnistCoreError:
        return
    found = evaluate(DigitClassifier(uploaded.model, record.calibration), test)
    if abs(found.accuracy - claimed.accuracy) > TOLERANCE or found.images != claimed.images:
        raise WeightsError(
            f"Its record says that it classifies {claimed.accuracy:.2%} of {claimed.images:,} images correctly "
            f"({claimed.on}), but here it is {found.accuracy:.2%} of {found.images:,}. "
            "Upload the version as it was downloaded."
        )


def to_onnx(chosen: Version) -> bytes:
    """Return the version as an ONNX model.

    It takes `frames` (n, 28, 28) uint8 and gives calibrated `probabilities` (n, 10) and `ood_score` (n,). Its metadata
    holds the record and the threshold that the score is compared with.

    Raises:
        WeightsError: it is damaged.
    """
    import onnx  # slow to import, and drawing does without it

    loaded = load_version(chosen.folder)
    model = _graph(loaded.model, loaded.record.calibration)
    details = {"record": loaded.record.to_json(), "threshold": str(loaded.record.calibration.threshold())}
    onnx.helper.set_model_props(model, details)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _graph(model: MLP, calibration: Calibration) -> "onnx.ModelProto":
    """Write the network node by node, which takes milliseconds; tracing it, as torch does, takes seconds."""
    from onnx import TensorProto, helper, numpy_helper

    constants: dict[str, NDArray[np.generic] | np.float32] = {
        "255": np.float32(255),
        "temperature": np.float32(calibration.temperature),
        "1": np.array([1]),
    }
    nodes = [
        helper.make_node("Cast", ["frames"], ["bytes"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["bytes", "255"], ["pixels"]),
        helper.make_node("Flatten", ["pixels"], ["activations0"], axis=1),
    ]
    parameters = [parameter.detach().numpy() for parameter in model.parameters()]
    for number, (weight, bias) in enumerate(zip(parameters[::2], parameters[1::2], strict=True), start=1):
        constants[f"weight{number}"], constants[f"bias{number}"] = weight, bias
        last = number == len(model.layers)
        sums = "logits" if last else f"sums{number}"
        inputs = [f"activations{number - 1}", f"weight{number}", f"bias{number}"]
        nodes.append(helper.make_node("Gemm", inputs, [sums], transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [sums], [f"activations{number}"]))
    nodes += [
        helper.make_node("Div", ["logits", "temperature"], ["calibrated"]),
        helper.make_node("Softmax", ["calibrated"], ["probabilities"], axis=1),
        helper.make_node("ReduceLogSumExp", ["logits", "1"], ["energy"], keepdims=0),
        helper.make_node("Neg", ["energy"], ["ood_score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", 28, 28])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10]),
            helper.make_tensor_value_info("ood_score", TensorProto.FLOAT, ["n"]),
        ],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()],
    )
    # an older version of the standard, which more programs read
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
