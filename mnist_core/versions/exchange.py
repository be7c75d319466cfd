"""Versions in the form in which they travel: a zip file of weights and record, or ONNX for other programs."""

import io
import json
import re
import shutil
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import torch
from numpy.typing import NDArray

from mnist_core.errors import MnistCoreError, WeightsError
from mnist_core.evaluation.evaluation import evaluate
from mnist_core.files import runs_dir, write_atomically
from mnist_core.images.datasets import load_dataset, mnist_is_here
from mnist_core.network.calibration import Calibration
from mnist_core.network.classifier import DigitClassifier
from mnist_core.network.model import MLP
from mnist_core.versions.registry import RECORD_FILE, WEIGHTS_FILE, Version, load_version, read_record, version

if TYPE_CHECKING:
    import onnx

LARGEST_FILE = 100_000_000
"""Bytes."""
TOLERANCE = 0.001
"""Another machine may round otherwise: by so much may accuracy differ from what the record says."""


def to_zip(chosen: Version) -> bytes:
    """The two files of a version, as `from_zip` takes them.

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
    """Add a version that somebody else trained to one's own.

    It is checked: the weights are the record's and are finite numbers, and on the test images, if they are here, it
    scores what the record says.

    Raises:
        WeightsError: it is not a version, or not what its record says; nothing is then added.
    """
    arriving = runs_dir() / f".arriving-{uuid4().hex}"
    try:
        arriving.mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for file in (WEIGHTS_FILE, RECORD_FILE):
                if archive.getinfo(file).file_size > LARGEST_FILE:
                    raise WeightsError(f"{file} is larger than {LARGEST_FILE:,} bytes. Upload a smaller version.")
                write_atomically(arriving / file, archive.read(file))
        _check(Version("the uploaded version", arriving, read_record(arriving)))
        name = re.sub(r"[^a-z0-9]+", "-", read_record(arriving).recipe.name.lower()).strip("-")
        stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        folder = runs_dir() / f"{stamp}-{name}-uploaded-{arriving.name[-4:]}"
        arriving.rename(folder)
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise WeightsError(
            f"This is not a version that can be used ({error}). Upload a zip file as the download makes it."
        ) from error
    finally:
        shutil.rmtree(arriving, ignore_errors=True)
    return version(f"runs/{folder.name}")


def _check(arrived: Version) -> None:
    loaded = load_version(arrived.folder)
    if not all(torch.isfinite(tensor).all() for tensor in loaded.model.state_dict().values()):
        raise WeightsError("Some of its weights are no finite numbers. Train it again, then upload it.")
    claimed = loaded.record.evaluation
    if loaded.record.data == "mnist" and not mnist_is_here():
        return
    try:
        test = load_dataset("mnist" if loaded.record.data == "mnist" else "sample").test
    except MnistCoreError:
        return
    found = evaluate(DigitClassifier(loaded.model, loaded.record.calibration), test)
    if abs(found.accuracy - claimed.accuracy) > TOLERANCE or found.images != claimed.images:
        raise WeightsError(
            f"Its record says {claimed.accuracy:.2%} right of {claimed.images:,} images ({claimed.on}), but here it "
            f"reads {found.accuracy:.2%} of {found.images:,} rightly. Upload the version as it was downloaded."
        )


def to_onnx(chosen: Version) -> bytes:
    """The version as an ONNX model: `frames` (n, 28, 28) uint8 in; calibrated `probabilities` (n, 10) and `ood_score`
    (n,) out. The record, and the threshold that the score is compared with, go along as metadata.

    Raises:
        WeightsError: it is damaged.
    """
    import onnx  # here, as drawing does without

    loaded = load_version(chosen.folder)
    model = _graph(loaded.model, loaded.record.calibration)
    details = {"record": json.dumps(loaded.record.to_dict()), "threshold": str(loaded.record.calibration.threshold())}
    onnx.helper.set_model_props(model, details)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _graph(model: MLP, calibration: Calibration) -> "onnx.ModelProto":
    """The network written down node by node, which takes milliseconds; tracing it, as torch does, takes seconds."""
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
    # a version of the standard that programs of the last years understand
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
