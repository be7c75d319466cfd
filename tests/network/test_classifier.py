import numpy as np
import pytest
from PIL import Image

from mnist_core import DigitClassifier, Prediction, evaluate, normalize_drawing
from mnist_core.errors import EmptyDrawingError
from mnist_core.images.datasets import Dataset
from mnist_core.network.calibration import calibrate
from mnist_core.network.model import MLP
from mnist_core.versions import registry


def test_one_frame_is_classified_as_in_a_batch(classifier: DigitClassifier, sample: Dataset) -> None:
    frames = sample.test.images[:64]
    batch = classifier.predict_frames(frames)
    singles = [classifier.predict_frame(frame).probabilities for frame in frames]
    assert np.allclose(batch, singles, atol=1e-6)


def test_probabilities_sum_to_one_and_confidence_is_the_largest(classifier: DigitClassifier, sample: Dataset) -> None:
    for frame in sample.test.images[:50]:
        prediction = classifier.predict_frame(frame)
        assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
        assert prediction.confidence == max(prediction.probabilities) == prediction.probabilities[prediction.digit]
        assert prediction.accepted is True, "without calibration nothing is declined"


def test_what_scores_beyond_the_threshold_is_not_accepted(small_model: MLP, sample: Dataset) -> None:
    validation, plain = sample.validation, DigitClassifier(small_model)
    classifier = DigitClassifier(small_model, calibrate(plain.logits(validation.images), validation.labels))
    scores = classifier.ood_scores(validation.images)
    for share in (0.9, 0.99, 1.0):
        accepted = [classifier.predict_frame(frame, accept=share).accepted for frame in validation.images]
        assert np.mean(accepted) == pytest.approx(share, abs=0.003)
        assert max(scores[accepted]) <= classifier.calibration.threshold(share)


def test_sure_is_accepted_and_confident() -> None:
    def prediction(confidence: float, accepted: bool) -> Prediction:
        rest = (1 - confidence - 0.01) / 8
        return Prediction(
            3, confidence, (rest,) * 3 + (confidence,) + (rest,) * 3 + (rest + 0.01,) + (rest,) * 2, accepted, 0
        )

    assert prediction(0.95, True).sure
    assert not prediction(0.95, False).sure
    assert not prediction(0.6, True).sure
    assert prediction(0.6, True).runner_up == 7


def test_a_drawing_is_framed_before_it_is_classified(classifier: DigitClassifier, sample: Dataset) -> None:
    drawing = Image.fromarray(255 - sample.test.images[0]).resize((100, 100)).convert("RGBA")
    prediction: Prediction = classifier.predict(drawing)
    assert prediction == classifier.predict_frame(normalize_drawing(drawing))


def test_blank_canvas_is_not_classified(classifier: DigitClassifier) -> None:
    with pytest.raises(EmptyDrawingError):
        classifier.predict(np.full((280, 280, 4), 255, np.uint8))


@pytest.mark.parametrize(
    ("name", "least", "most_parameters"),
    [("article", 0.975, 100_000), ("robust", 0.9925, 100_000), ("best", 0.9945, 2_000_000)],
)
def test_shipped_version_scores_what_its_record_says(
    name: str, least: float, most_parameters: int, mnist: Dataset
) -> None:
    version = registry.version(name)
    evaluation = evaluate(DigitClassifier.load(version.folder), mnist.test)
    assert evaluation.confusion == version.record.evaluation.confusion
    assert evaluation.checksum == version.record.evaluation.checksum
    assert evaluation.accuracy >= least
    assert evaluation.calibration_error <= 0.005
    assert version.record.recipe.parameter_count <= most_parameters
    accepted = DigitClassifier.load(version.folder).ood_scores(mnist.validation.images)
    assert (accepted <= version.record.calibration.threshold()).mean() == pytest.approx(0.99, abs=0.0005)


def test_shipped_version_classifies_digits_it_may_have_seen(sample: Dataset) -> None:
    """The bundled sample is part of MNIST's training files, so this is no measure, only a sign of life."""
    assert evaluate(DigitClassifier.load(), sample.test).accuracy > 0.97
