import numpy as np
import pytest
from PIL import Image

from mnist_core import DigitClassifier, Prediction, evaluate, normalize_drawing
from mnist_core.datasets import Dataset
from mnist_core.errors import EmptyDrawingError


def test_one_frame_is_answered_as_in_a_batch(classifier: DigitClassifier, sample: Dataset) -> None:
    frames = sample.test.images[:64]
    batch = classifier.predict_frames(frames)
    singles = [classifier.predict_frame(frame).probabilities for frame in frames]
    assert np.allclose(batch, singles, atol=1e-6)


def test_probabilities_sum_to_one_and_confidence_is_the_largest(classifier: DigitClassifier, sample: Dataset) -> None:
    for frame in sample.test.images[:50]:
        prediction = classifier.predict_frame(frame)
        assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
        assert prediction.confidence == max(prediction.probabilities) == prediction.probabilities[prediction.digit]
        assert prediction.ood_score == pytest.approx(1 - prediction.confidence)
        assert prediction.accepted is True


def test_a_drawing_is_framed_before_it_is_read(classifier: DigitClassifier, sample: Dataset) -> None:
    drawing = Image.fromarray(255 - sample.test.images[0]).resize((100, 100)).convert("RGBA")
    prediction: Prediction = classifier.predict(drawing)
    assert prediction == classifier.predict_frame(normalize_drawing(drawing))


def test_blank_canvas_is_not_classified(classifier: DigitClassifier) -> None:
    with pytest.raises(EmptyDrawingError):
        classifier.predict(np.full((280, 280, 4), 255, np.uint8))


def test_shipped_version_scores_what_its_record_says(mnist: Dataset) -> None:
    from mnist_core import registry

    record = registry.version("article").record
    evaluation = evaluate(DigitClassifier.load(), mnist.test)
    assert evaluation.confusion == record.evaluation.confusion
    assert evaluation.accuracy >= 0.975
    assert evaluation.checksum == record.evaluation.checksum


def test_shipped_version_reads_digits_it_may_have_seen(sample: Dataset) -> None:
    """The bundled sample is part of MNIST's training files, so this is no measure, only a sign of life."""
    assert evaluate(DigitClassifier.load(), sample.test).accuracy > 0.97
