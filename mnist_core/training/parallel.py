"""Training in several processes at once, on one machine or more, as `torchrun` starts them.

Each process (a rank) learns from its share of every batch, and their gradients are averaged, so that all take the same
steps. Without `torchrun` there is one process, and nothing here does anything.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

PATIENCE = timedelta(days=1)
"""How long processes wait for each other: the first may have to wait in the queue of runs."""


def rank() -> int:
    """Return the number of this process; the first, 0, reports and writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def processes() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


@contextmanager
def together() -> Iterator[None]:
    """Join the process group of a `torchrun`, and leave it together with the others at the end of the block.

    Otherwise a process that is done would break the connections of those that still work, and end before them;
    `torchrun` ends all of them if one fails. A process that raises does not wait, and breaks its connections, so that
    no other waits for it.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield
        return
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None:
        torch.accelerator.set_device_index(int(os.environ["LOCAL_RANK"]))
    backend = "nccl" if accelerator is not None and accelerator.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield
        distributed.barrier()
    finally:
        distributed.destroy_process_group()


@contextmanager
def first_alone() -> Iterator[None]:
    """Run the block in the first process before the others run it."""
    if rank() > 0:
        distributed.barrier()
    yield
    if rank() == 0 and processes() > 1:
        distributed.barrier()


def shared(model: nn.Module) -> nn.Module:
    """Return the model; `backward` gives it, in each process, the mean of all processes' gradients.

    DistributedDataParallel does the same, but keeps the group's threads alive after the group has been destroyed, and
    a process that ends with them may abort.
    """
    if processes() > 1:
        for parameter in model.parameters():
            parameter.register_post_accumulate_grad_hook(_average_gradient)  # type: ignore[no-untyped-call]
    return model


def _average_gradient(parameter: Tensor) -> None:
    if parameter.grad is not None:
        distributed.all_reduce(parameter.grad)
        parameter.grad /= processes()


def share_of(chosen: Tensor) -> Tensor:
    """Return this process's share of a batch (n,): about n / processes indices."""
    return chosen[rank() :: processes()] if processes() > 1 else chosen


def summed(value: Tensor) -> Tensor:
    """Return the sum of `value` over all processes."""
    if processes() > 1:
        distributed.all_reduce(value)
    return value


def from_first(value: Tensor) -> Tensor:
    """Return the first process's `value` in all processes."""
    if processes() > 1:
        distributed.broadcast(value, 0)
    return value
