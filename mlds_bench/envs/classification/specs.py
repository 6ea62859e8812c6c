"""The data sets and the settings of the classification room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from mlds_bench.common.checks import shown
from mlds_bench.common.settings import BaseSettings, choice, flag, known_name, number, whole

CLASSES = 10
"""Of every data set here."""
BRIGHTEST = 255
"""Of a pixel."""
UNLABELED = -1
"""What the oracle says of an image whose label is not told."""
FEWEST = 10
"""Training images at least."""
MOST_SEED = 2**63 - 1


@dataclass(frozen=True)
class ImageSet:
    """A data set.

    Attributes:
        name: what ``dataset=`` selects it by.
        shape: height, width, channels of an image.
        train: training images.
        test: held-out images.
        classes: their names, by number.
        source: where it comes from.
        catalogued: its name in the data layer; empty for one that is embedded.
    """

    name: str
    shape: tuple[int, int, int]
    train: int
    test: int
    classes: tuple[str, ...]
    source: str
    catalogued: str = ""


_DIGITS = tuple("0123456789")
_CLOTHES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "boot",
)
_OBJECTS = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

DATASETS: Mapping[str, ImageSet] = MappingProxyType(
    {
        one.name: one
        for one in (
            ImageSet(
                "digits",
                (8, 8, 1),
                1_297,
                500,
                _DIGITS,
                "Alpaydin and Kaynak 1998, UCI; shipped by scikit-learn",
            ),
            ImageSet(
                "mnist",
                (28, 28, 1),
                60_000,
                10_000,
                _DIGITS,
                "LeCun, Cortes and Burges 1998",
                "mnist",
            ),
            ImageSet(
                "fashion",
                (28, 28, 1),
                60_000,
                10_000,
                _CLOTHES,
                "Xiao, Rasul and Vollgraf 2017",
                "fashion_mnist",
            ),
            ImageSet(
                "cifar10", (32, 32, 3), 50_000, 10_000, _OBJECTS, "Krizhevsky 2009", "cifar10"
            ),
        )
    }
)
"""Name -> data set."""

SHIFTS = ("none", "rotated", "inverted")
"""How the images of the new domain look."""
DEGREES = 45.0
"""By which ``rotated`` turns, counterclockwise."""


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Keyword arguments of `Classification`.

    Attributes:
        dataset: a key of `DATASETS`.
        train_size: training images, chosen by ``subset_seed``; None for all of them.
        subset_seed: of the choice of the training images.
        label_noise: share of the training images whose label is drawn anew, uniformly from all
            classes. 1 leaves nothing but chance.
        label_seed: of which labels those are, and what they become.
        shift: a new domain that the test asks about: every held-out image ``rotated`` by `DEGREES`,
            or ``inverted``. Half of the training images are then of the new domain, too, without
            their labels.
        probabilities: whether an action is a vector of class probabilities. An agent may choose it.
    """

    view_options: ClassVar[frozenset[str]] = frozenset({"probabilities"})

    dataset: str = known_name("digits", tuple(DATASETS))
    train_size: int | None = whole(None, FEWEST)
    subset_seed: int = whole(0, 0, MOST_SEED)
    label_noise: float = number(0.0, 0.0, 1.0)
    label_seed: int = whole(0, 0, MOST_SEED)
    shift: str = choice("none", SHIFTS)
    probabilities: bool = flag(False)

    def __post_init__(self) -> None:
        super().__post_init__()
        there = self.images.train
        if self.train_size is not None and self.train_size > there:
            raise ValueError(
                f"train_size must be a whole number in {FEWEST}..{there}, the training images of "
                f"{self.dataset}, got {shown(self.train_size)}"
            )

    @property
    def images(self) -> ImageSet:
        """The data set."""
        return DATASETS[self.dataset]

    @property
    def has_new_domain(self) -> bool:
        """Whether the test asks about images that look different."""
        return self.shift != "none"
