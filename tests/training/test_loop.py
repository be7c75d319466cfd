import dataclasses
import itertools

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core import RECIPES, DigitClassifier, Recipe, evaluate, train
from mnist_core.images.datasets import Dataset, LabelledImages
from mnist_core.network.model import MLP, scale_pixels
from mnist_core.training import progress
from mnist_core.training.learner import Dropout
from mnist_core.training.loop import estimate_seconds
from mnist_core.training.optimizers import learning_rates
from mnist_core.training.progress import EpochProgress, StepProgress, Trained
from mnist_core.versions.registry import teacher_of


def trained(recipe: Recipe, dataset: Dataset) -> MLP:
    *_, last = train(recipe, dataset, teacher=teacher_of(recipe))
    assert isinstance(last, Trained)
    return last.model


@pytest.fixture(scope="module")
def tiny(sample: Dataset) -> Dataset:
    """330 images to train on: no multiple of any batch size used here."""
    some = sample.train.part("330 images", np.arange(330))
    return Dataset("sample", some, sample.validation, sample.test, {})


def test_training_on_the_bundled_sample_reaches_90_percent(sample: Dataset, classifier: DigitClassifier) -> None:
    assert evaluate(classifier, sample.test).accuracy >= 0.90


@pytest.mark.parametrize("name", RECIPES)
def test_same_seed_gives_the_same_weights_and_another_does_not(name: str, tiny: Dataset) -> None:
    recipe = dataclasses.replace(RECIPES[name], epochs=2, hidden=(30, 20))
    one, same, other = (trained(recipe.override(seed=seed), tiny).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not any(torch.equal(one[key], other[key]) for key in one)


def test_training_leaves_the_callers_randomness_alone(tiny: Dataset) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained(RECIPES["quick"].override(epochs=1), tiny)
    assert torch.equal(torch.rand(3), expected)


def test_article_recipe_takes_the_steps_of_the_articles_loop(tiny: Dataset) -> None:
    """Against a plain loop with the article's Adam, given the same start and the same order."""
    recipe = RECIPES["article"].override(epochs=2, seed=3)
    torch.manual_seed(3)
    model = MLP()
    order = torch.Generator().manual_seed(3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loss_function = nn.BCEWithLogitsLoss()
    images, labels = scale_pixels(tiny.train.images), torch.from_numpy(tiny.train.labels)
    for _ in range(2):
        for batch in torch.randperm(330, generator=order).split(32):
            loss = loss_function(model(images[batch]), nn.functional.one_hot(labels[batch], 10).float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    ours = trained(recipe, tiny).state_dict()
    assert all(torch.allclose(ours[key], value, atol=1e-5) for key, value in model.state_dict().items())


def test_sgd_takes_the_steps_of_torchs_sgd(tiny: Dataset) -> None:
    """Against a plain loop, given the same start and the same order; biases are not drawn to zero."""
    recipe = Recipe(optimizer="sgd", learning_rate=0.1, momentum=0.8, weight_decay=0.01, epochs=2, keep="last", seed=3)
    torch.manual_seed(3)
    model = MLP()
    start = MLP()
    start.load_state_dict(model.state_dict())
    order = torch.Generator().manual_seed(3)
    weights, biases = ([parameter for parameter in model.parameters() if parameter.ndim == ndim] for ndim in (2, 1))
    groups = [{"params": weights, "weight_decay": 0.01}, {"params": biases, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.8)
    images, labels = scale_pixels(tiny.train.images), torch.from_numpy(tiny.train.labels)
    for _ in range(2):
        for batch in torch.randperm(330, generator=order).split(32):
            targets = nn.functional.one_hot(labels[batch], 10).float()
            loss = nn.functional.binary_cross_entropy_with_logits(model(images[batch]), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    ours = trained(recipe, tiny).state_dict()
    assert all(torch.allclose(ours[key], value, atol=1e-5) for key, value in model.state_dict().items())
    assert not any(torch.allclose(ours[key], value, atol=1e-3) for key, value in start.state_dict().items())


def test_dropout_leaves_out_its_share_of_the_units_and_makes_up_for_it() -> None:
    dropout = Dropout(Recipe(dropout=0.3), torch.device("cpu"))
    dropped = dropout(torch.full((500, 200), 7.0))
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert dropped.unique().tolist() == pytest.approx([0, 7 / 0.7])
    assert not torch.equal(dropped, dropout(torch.full((500, 200), 7.0))), "others each time"


def test_dropout_changes_what_is_learned_but_not_how_the_result_answers(tiny: Dataset) -> None:
    recipe = RECIPES["quick"].override(epochs=2)
    plain, dropped = trained(recipe, tiny), trained(recipe.override(dropout=0.5), tiny)
    assert not torch.equal(plain.layers[0].weight, dropped.layers[0].weight)
    images = scale_pixels(tiny.validation.images)
    with torch.inference_mode():
        assert torch.equal(dropped(images), dropped(images))


def test_epochs_are_reported_with_losses_that_match_the_weights(tiny: Dataset) -> None:
    events = list(train(RECIPES["quick"].override(epochs=3), tiny))
    epochs = [event for event in events if isinstance(event, EpochProgress)]
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    last = events[-1]
    assert isinstance(last, Trained)
    with torch.inference_mode():
        logits = last.model(scale_pixels(tiny.validation.images))
    labels = torch.from_numpy(tiny.validation.labels)
    loss = nn.functional.cross_entropy(logits, labels, label_smoothing=RECIPES["quick"].label_smoothing)
    assert epochs[-1].validation_loss == pytest.approx(loss.item(), abs=1e-5)
    assert epochs[-1].validation_accuracy == pytest.approx((logits.argmax(1) == labels).double().mean().item())
    assert epochs[-1].train_loss < epochs[0].train_loss


def test_epoch_loss_weighs_every_image_the_same(tiny: Dataset) -> None:
    """With a vanishing rate the weights stand still, and the mean over batches must be the mean over images."""
    recipe = Recipe(loss="ce", learning_rate=1e-9, epochs=1, batch_size=200)
    epoch, last = (event for event in train(recipe, tiny) if not isinstance(event, StepProgress))
    assert isinstance(epoch, EpochProgress)
    assert isinstance(last, Trained)
    with torch.inference_mode():
        loss = nn.functional.cross_entropy(
            last.model(scale_pixels(tiny.train.images)), torch.from_numpy(tiny.train.labels)
        )
    assert epoch.train_loss == pytest.approx(loss.item(), abs=1e-4)


def test_steps_are_reported_in_order(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REPORT_SECONDS", 0.02)
    recipe = Recipe(epochs=6)
    steps = [event for event in train(recipe, sample) if isinstance(event, StepProgress)]
    assert steps
    assert all(before.images_seen < after.images_seen for before, after in itertools.pairwise(steps))
    assert all(step.images_total == 6 * len(sample.train) and step.images_per_second > 0 for step in steps)
    assert all(0 < step.loss < 3 and step.seconds_left >= 0 for step in steps)


def test_training_stops_when_its_iterator_is_closed(sample: Dataset) -> None:
    events = train(Recipe(epochs=10_000), sample)
    next(events)
    events.close()


def test_test_images_are_not_used(tiny: Dataset) -> None:
    nothing = LabelledImages("nothing", np.empty((0, 28, 28), np.uint8), np.empty(0, np.int64))
    recipe = RECIPES["quick"].override(epochs=1)
    without = trained(recipe, Dataset("sample", tiny.train, tiny.validation, nothing, {})).state_dict()
    assert all(torch.equal(value, without[key]) for key, value in trained(recipe, tiny).state_dict().items())


def test_estimate_grows_with_the_work() -> None:
    few, many = Recipe(epochs=1, batch_size=256), Recipe(epochs=50, batch_size=256)
    assert 0 < estimate_seconds(few, 10_000) < estimate_seconds(many, 50_000)


def test_one_cycle_is_torchs() -> None:
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.008, total_steps=100, pct_start=0.1, cycle_momentum=False
    )
    expected = []
    for _ in range(100):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < 100:
            schedule.step()
    assert learning_rates(RECIPES["quick"].override(learning_rate=0.008), 100) == pytest.approx(expected)
    assert learning_rates(RECIPES["article"], 3) == [0.001] * 3
