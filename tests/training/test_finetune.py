"""Fine-tuning on a writer made from real digits, who mirrors sevens."""

import copy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from mnist_core import RECIPES, DigitClassifier, files
from mnist_core.errors import MnistCoreError
from mnist_core.images.datasets import NOT_A_DIGIT, Dataset, LabelledImages
from mnist_core.network.model import MLP
from mnist_core.training.finetune import (
    LEAST_TO_JUDGE,
    LEAST_TO_TEACH,
    Taught,
    TeachProgress,
    TeachSettings,
    split_drawings,
    teach,
)
from mnist_core.training.replay import ReplayBatches
from mnist_core.versions import registry

QUICK = TeachSettings(steps=40, known=1000)


def accuracy(model: MLP, data: LabelledImages) -> float:
    return float((DigitClassifier(model).logits(data.images).argmax(1) == data.labels).mean())


def fine_tuned(model: MLP, drawings: LabelledImages, sample: Dataset, settings: TeachSettings = QUICK) -> Taught:
    *_, last = teach(model, drawings, sample.train, sample.validation, settings)
    assert isinstance(last, Taught)
    return last


@pytest.fixture(scope="module")
def model() -> MLP:
    return registry.load_version(files.SHIPPED / "robust").model


@pytest.fixture(scope="module")
def writer(sample: Dataset) -> LabelledImages:
    """Twelve digits of each kind from the test images; the sevens are mirrored."""
    chosen = np.concatenate([np.flatnonzero(sample.test.labels == digit)[:12] for digit in range(10)])
    drawings = sample.test.part("a writer", chosen)
    images = drawings.images.copy()
    images[drawings.labels == 7] = images[drawings.labels == 7][:, :, ::-1]
    return replace(drawings, images=images)


@pytest.fixture(scope="module")
def taught(model: MLP, writer: LabelledImages, sample: Dataset) -> Taught:
    return fine_tuned(model, writer.part("taught", split_drawings(writer.labels, 60).teach), sample)


def test_what_one_half_teaches_helps_with_the_other(taught: Taught, model: MLP, writer: LabelledImages) -> None:
    others = writer.part("others", split_drawings(writer.labels, 60).judge)
    sevens = others.part("sevens", np.flatnonzero(others.labels == 7))
    assert accuracy(model, sevens) < 0.5
    assert accuracy(taught.model, sevens) > accuracy(model, sevens) + 0.4
    assert accuracy(taught.model, others) > accuracy(model, others)


def test_what_was_known_stays_known(taught: Taught, model: MLP, sample: Dataset) -> None:
    before, after = taught.validation_right
    assert after >= before - 1
    assert before == round(accuracy(model, sample.validation) * len(sample.validation))
    assert accuracy(taught.model, sample.test) > accuracy(model, sample.test) - 0.01
    assert 0 < taught.share <= 1
    assert taught.calibration.temperature > 0


def test_a_copy_whose_answers_may_not_change_stays_what_it_was(
    model: MLP, writer: LabelledImages, sample: Dataset
) -> None:
    strict = fine_tuned(model, writer, sample, replace(QUICK, most_changed=0.0))
    assert strict.share == 0
    assert strict.drawings_right[0] == strict.drawings_right[1]
    assert all(torch.equal(*pair) for pair in zip(model.parameters(), strict.model.parameters(), strict=True))


def test_what_is_being_forgotten_is_replayed_more_often(model: MLP, writer: LabelledImages, sample: Dataset) -> None:
    batches = ReplayBatches(model, writer, np.arange(len(writer)), sample.train, QUICK)
    sevens = batches.logits[-1].argmax(1) == 7
    forgetful = copy.deepcopy(model)
    with torch.no_grad():
        forgetful.layers[-1].bias[7] -= 10
    before = batches.chances[-1] / batches.chances[-1].sum()
    batches.look_back(forgetful)
    after = batches.chances[-1] / batches.chances[-1].sum()
    assert after[sevens].sum() > 3 * before[sevens].sum()
    assert after[~sevens].min() > 0


def test_the_network_that_was_given_stays_and_the_copy_can_be_repeated(
    taught: Taught, model: MLP, writer: LabelledImages, sample: Dataset
) -> None:
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    again = fine_tuned(model, writer.part("taught", split_drawings(writer.labels, 60).teach), sample)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, weights[name])
        assert torch.equal(again.model.state_dict()[name], taught.model.state_dict()[name])
        assert not torch.equal(tensor, taught.model.state_dict()[name])


def test_a_network_of_other_layers_and_loss_is_taught_too(
    small_model: MLP, writer: LabelledImages, sample: Dataset
) -> None:
    settings = replace(TeachSettings.of(RECIPES["quick"]), steps=40, known=1000)
    torch.manual_seed(0)
    for network in (small_model, MLP((784, 10))):
        last = fine_tuned(network, writer, sample, settings)
        assert last.model.sizes == network.sizes
        assert last.drawings_right[1] > last.drawings_right[0]


def test_progress_is_told(model: MLP, writer: LabelledImages, sample: Dataset) -> None:
    *progress, last = teach(model, writer, sample.train, sample.validation, QUICK)
    assert isinstance(last, Taught)
    told = [one for one in progress if isinstance(one, TeachProgress)]
    assert [told[-1].step, len(told)] == [QUICK.steps, len(progress)]
    assert all(one.step < other.step and one.seconds < other.seconds for one, other in pairwise(told))


def test_shapes_that_are_no_digits_are_declined_afterwards(sample: Dataset) -> None:
    version = registry.load_version(files.SHIPPED / "article")
    squares = np.zeros((12, 28, 28), np.uint8)
    for number, square in enumerate(squares):
        square[4:24, 4 + number % 3 : 22 + number % 3] = 255
        square[7:21, 7 + number % 3 : 19 + number % 3] = 0
    shapes = LabelledImages("squares", squares, np.full(12, NOT_A_DIGIT))
    last = fine_tuned(
        version.model, shapes, sample, replace(TeachSettings.of(version.record.recipe), steps=40, known=1000)
    )
    scores = [DigitClassifier(model).ood_scores(squares).mean() for model in (version.model, last.model)]
    assert scores[1] > scores[0] + 0.5
    assert last.drawings_right == (0, 0)


def test_a_drawing_that_is_surely_another_digit_is_skipped(model: MLP, writer: LabelledImages, sample: Dataset) -> None:
    logits = torch.from_numpy(DigitClassifier(model).logits(writer.images))
    surest = int((logits[:, 1] - logits.topk(2).values[:, 1]).argmax())
    labels = writer.labels.copy()
    assert labels[surest] == 1
    labels[surest] = 8
    assert surest in fine_tuned(model, replace(writer, labels=labels), sample).doubtful


def test_too_few_drawings_are_counted(model: MLP, writer: LabelledImages, sample: Dataset) -> None:
    with pytest.raises(MnistCoreError, match="Draw 3 more"):
        fine_tuned(model, writer.part("seven", np.arange(7)), sample)
    with pytest.raises(MnistCoreError, match="Draw 4 more"):
        split_drawings(np.arange(12) % 10)
    with pytest.raises(MnistCoreError, match="Draw 16 more"):
        split_drawings(np.full(30, -1))
    with pytest.raises(MnistCoreError, match="Choose 10 to 114"):
        split_drawings(writer.labels, 118)


def test_settings_name_what_is_wrong_with_them() -> None:
    for name, value in {"steps": 0, "redrawn": 1.5, "learning_rate": 0.0}.items():
        with pytest.raises(MnistCoreError, match=f"^{name}: "):
            TeachSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("count", range(LEAST_TO_TEACH + LEAST_TO_JUDGE, 24))
def test_half_of_few_drawings_leaves_enough_to_learn_from_and_to_measure_with(count: int) -> None:
    split = split_drawings(np.arange(count, dtype=np.int64) % 10)
    assert len(split.teach) >= LEAST_TO_TEACH
    assert len(split.judge) >= LEAST_TO_JUDGE
    assert len(split.teach) + len(split.judge) == count


def test_a_split_takes_all_digits_alike_no_drawing_twice_and_what_is_no_digit_to_teach() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(-1, 10), [3, 9, 9, 9, 9, 9, 9, 9, 9, 9, 2]))
    split, same, other = split_drawings(labels, 30), split_drawings(labels, 30), split_drawings(labels, 30, seed=1)
    assert sorted([*split.teach, *split.judge]) == list(range(len(labels)))
    assert np.array_equal(split.teach, same.teach)
    assert not np.array_equal(split.teach, other.teach)
    taught = {int(label): int((labels[split.teach] == label).sum()) for label in np.unique(labels)}
    assert taught[9] == 2
    assert taught[-1] == 3
    assert {taught[digit] for digit in range(9)} == {3, 4}
    assert len(split_drawings(labels).teach) == 3 + round((labels >= 0).sum() / 2)


def test_what_was_learned_before_teaches_again_and_never_judges() -> None:
    labels = np.tile(np.arange(-1, 10), 6)
    learned = np.arange(len(labels)) % 3 == 0
    split = split_drawings(labels, learned=learned)
    assert set(np.flatnonzero(learned)) <= set(split.teach)
    assert sorted([*split.teach, *split.judge]) == list(range(len(labels)))
    with pytest.raises(MnistCoreError, match="not learned from yet. Draw 11 more".replace(".", r"\.")):
        split_drawings(labels, learned=np.arange(len(labels)) > 5)
