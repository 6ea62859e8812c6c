"""The command that trains the zoo: one file per finished group, then the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache, partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from mlds_bench.common.files import replacing
from mlds_bench.envs.generalization.zoo import grid, images
from mlds_bench.envs.generalization.zoo.probes import measure
from mlds_bench.envs.generalization.zoo.training import answers, train

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

RECIPE = 1
"""Raised when the training or a probe changes: groups that are finished are then trained anew."""
TABLE = "table.npz"


def build(
    folder: Path,
    datasets: Sequence[str],
    workers: int,
    tell: Callable[[str], None],
    *,
    most_epochs: int = grid.MOST_EPOCHS,
) -> Path | None:
    """Train what is not finished yet, and write the table if nothing is missing then.

    Args:
        folder: of the groups' files and the table.
        datasets: which to train now.
        workers: processes of one thread each; the results do not depend on how many.
        tell: is told one line per finished group.
        most_epochs: limit of every training.

    Returns:
        The path of the table; None while groups of other data sets are missing.
    """
    wanted = [group for dataset in datasets for group in grid.groups(dataset)]
    todo = [group for group in wanted if not is_finished(folder, group, most_epochs)]
    tell(f"{len(wanted) - len(todo)} of {len(wanted)} groups are finished")
    task = partial(make_group, folder, most_epochs=most_epochs)
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        futures = {pool.submit(task, group): group for group in todo}
        for count, future in enumerate(as_completed(futures), 1):
            future.result()
            tell(f"{count}/{len(todo)} {futures[future].name}")
    everything = [group for dataset in grid.LEVELS for group in grid.groups(dataset)]
    if not all(is_finished(folder, group, most_epochs) for group in everything):
        return None
    path = folder / TABLE
    write(path, assemble({group.name: read(folder, group) for group in everything}))
    return path


def fingerprint(dataset: str, most_epochs: int) -> str:
    """sha256 of everything that a group's file depends on besides the code and the images."""
    levels, sizes = grid.LEVELS[dataset], grid.SIZES[dataset]
    parts = (RECIPE, grid.SEED, dataset, levels, sizes, grid.FITTED, grid.FOLDS, most_epochs)
    return sha256(repr(parts).encode()).hexdigest()


def is_finished(folder: Path, group: grid.Group, most_epochs: int) -> bool:
    """Whether the group's file is there and was made with today's settings."""
    path = folder / f"{group.name}.npz"
    if not path.is_file():
        return False
    with np.load(path) as arrays:
        return bool(arrays["fingerprint"] == fingerprint(group.dataset, most_epochs))


def make_group(folder: Path, group: grid.Group, *, most_epochs: int) -> None:
    """Train a group, measure it and write its file."""
    arrays = group_arrays(group, _dataset(group.dataset), most_epochs)
    mark = np.array(fingerprint(group.dataset, most_epochs))
    write(folder / f"{group.name}.npz", {**arrays, "fingerprint": mark})


def group_arrays(group: grid.Group, data: images.DataSet, most_epochs: int) -> Arrays:
    """What the table keeps of a group: name -> (B, ...) of its networks, see `table.Table`."""
    trained = train(group, data, most_epochs=most_epochs)
    x = torch.from_numpy(data.train.images)
    generator = torch.Generator().manual_seed(group.seed("probes"))
    right = answers(trained.architecture, trained.theta, x) == trained.labels
    held_out = answers(trained.architecture, trained.theta, torch.from_numpy(data.test.images))
    probes = measure(trained, x, generator)
    return {
        "train_accuracy": right.float().mean(1).numpy(),
        "validation_right": trained.validation.numpy().astype(np.uint8),
        "test_accuracy": (held_out == torch.from_numpy(data.test.labels)).float().mean(1).numpy(),
        "parameter_count": np.full(len(right), trained.architecture.parameters, np.int32),
        "epochs": trained.epochs.numpy().astype(np.int16),
        **{name: values.numpy() for name, values in probes.items()},
    }


def assemble(parts: Mapping[str, Arrays]) -> Arrays:
    """Join the groups' arrays in the order of the table.

    Rows are data set, label noise, then the axes of `grid.AXES`, the last one fastest.
    """
    names = [name for name in next(iter(parts.values())) if name != "fingerprint"]
    table: Arrays = {}
    for name in names:
        blocks = []
        for dataset, levels in grid.LEVELS.items():
            stack = np.stack([parts[group.name][name] for group in grid.groups(dataset)])
            noises = len(levels.label_noise)
            apart = stack.reshape(len(stack), noises, -1, *stack.shape[2:])
            blocks.append(apart.swapaxes(0, 1).reshape(-1, *stack.shape[2:]))
        table[name] = np.concatenate(blocks)
    return table


def read(folder: Path, group: grid.Group) -> Arrays:
    """The arrays of a finished group."""
    with np.load(folder / f"{group.name}.npz") as arrays:
        return dict(arrays)


def write(path: Path, arrays: Arrays) -> None:
    """Write arrays so that the same ones give the same bytes: numpy dates its entries 1980."""
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


@cache
def _dataset(name: str) -> images.DataSet:
    return images.load_dataset(name)


def _one_thread() -> None:
    torch.set_num_threads(1)
