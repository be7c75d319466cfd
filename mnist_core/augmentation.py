"""Random distortions of whole batches of tensors, on the device they lie on."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def shift_batch(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move all images (n, 28, 28) of a batch by the same random number of pixels, at most `most` either way.

    One move for a whole batch costs a slice instead of a resampling, and over many batches teaches the same:
    that a digit stays what it is when it stands a pixel further on. What leaves the frame is lost; black follows.
    """
    if most == 0:
        return images
    right, down = torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()
    height, width = images.shape[1:]
    return pad(images, (most, most, most, most))[:, down : down + height, right : right + width]
