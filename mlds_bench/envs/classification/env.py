"""The environment of homeworks 1-1 (part 2) and 1-3: given an image, say a class."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete

from mlds_bench.common.settings import make_settings
from mlds_bench.envs.classification.data import Images, Labels, make_deck, training_set
from mlds_bench.envs.classification.specs import BRIGHTEST, CLASSES, Settings
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome, Split
from mlds_bench.envs.recorders import StepRecorder
from mlds_bench.envs.streams import Indices, Streams
from mlds_bench.envs.visits import golden_stride

HIDDEN = ("labels", "truth", "part", "row")
"""What is recorded of a card; see `mlds_bench.envs.classification.data.Deck`."""
SMALLEST_FRAME = 128
"""Pixels: smaller images are enlarged by a whole number."""


class Classification(BatchedEnv):
    """Classify images: given an image, say its class.

    Observation: an image, Box (height, width, channels) uint8 from 0 to 255: (8, 8, 1) for
    ``digits``, (28, 28, 1) for ``mnist`` and ``fashion``, (32, 32, 3) for ``cifar10``. In ``train``
    it is drawn, independently and uniformly, from the training images. In ``test`` it comes from a
    deck of all held-out images and half as many training images, in an order that the seed decides:
    instance i sees card i, then card i plus multiples of a stride that visits them all, so that as
    many instances as there are cards see the whole deck in every episode.

    Action: a class, Discrete (10) int64; with ``probabilities=True`` (which an agent may choose) a
    weight for each class, Box (10,) float32 in [0, 1], of which the largest is the class said.

    Reward: 1 if the class is the label, else 0; 0 where the label is not told.

    Oracle: the label, int64: of a training image the one that ``label_noise`` has left or drawn
    anew, of a held-out image the truth. It is -1 for images of a new domain, whose labels are not
    told.

    Feedback: none.

    End of episode: every step terminates; an episode is one decision.

    Scores: ``test_accuracy`` (primary; higher is better), ``train_accuracy`` on the training images
    of the deck, against the labels trained on, ``gap`` between the two, ``test_cross_entropy`` (in
    nats) where an agent offers probabilities; with partial label noise ``clean_accuracy`` and
    ``corrupted_accuracy``; with a new domain ``old_domain_accuracy``. See
    `mlds_bench.envs.classification.scoring`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homeworks 1-1 (part 2)
    and 1-3, and the lectures on generalization; Zhang et al. 2017, "Understanding deep learning
    requires rethinking generalization". Data sets in `mlds_bench.envs.classification.specs`.

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: ``rgb_array``, or None to render nothing.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: ``dataset``, ``train_size``, ``subset_seed``, ``label_noise``, ``label_seed``,
            ``shift``, ``probabilities``; see `mlds_bench.envs.classification.specs.Settings`.

    Raises:
        ValueError: one line that names the argument, its value and its bound.
        MissingData: the data set is not here; the line names the command that fetches it.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - gymnasium declares it as an instance attribute
        **BatchedEnv.metadata,
        "render_modes": ["rgb_array"],
    }
    view_options = Settings.view_options

    def __init__(
        self,
        *,
        num_envs: int = 1,
        split: Split = "train",
        seed: int | None = None,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **settings: Any,
    ) -> None:
        self.settings = make_settings(Settings, settings)
        probabilities = Box(0.0, 1.0, (CLASSES,), np.float32)
        super().__init__(
            Box(0, BRIGHTEST, self.settings.images.shape, np.uint8),
            probabilities if self.settings.probabilities else Discrete(CLASSES),
            num_envs=num_envs,
            split=split,
            seed=seed,
            render_mode=render_mode,
            max_episode_steps=max_episode_steps,
        )
        self._images: Images = np.zeros((1, *self.settings.images.shape), np.uint8)
        self._labels: Labels = np.zeros(1, np.int64)
        if split == "train":
            train = training_set(self.settings)
            self._images, self._labels = train.images, train.labels
        self._rows: npt.NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._all: Indices = np.arange(num_envs)
        self._known: Streams | None = None

    def make_recorder(self) -> StepRecorder:
        """Answers and truth are all that scores need; pictures find the images by their rows."""
        return StepRecorder(("action", "oracle"))

    def draw(self, mask: Flags) -> None:
        """A new image in the instances where ``mask`` (N,) is True."""
        if self._known is not self.streams:
            self._known, self._all = self.streams, self.streams.everyone
            if self.split == "test":
                self._shuffle()
        ids = self._all if mask.all() else np.flatnonzero(mask)
        if self.split == "train":
            self._rows[ids] = self.streams.integers(ids, len(self._images), 1)[:, 0]
        else:
            self._rows[ids] = self._visit[ids]
            self._visit[ids] = (self._visit[ids] + self._stride) % len(self._images)

    def observe(self) -> Images:
        """The images, (N, H, W, C) uint8."""
        return self._images.take(self._rows, axis=0)

    def advance(self, actions: Any) -> Outcome:
        """1 for the right class; every episode ends."""
        said = actions.argmax(axis=1) if self.settings.probabilities else actions
        reward = (said == self._labels[self._rows]).astype(np.float64)
        return reward, np.ones(self.num_envs, np.bool_), np.zeros(self.num_envs, np.bool_)

    def oracle(self) -> Any:
        """The labels (N,) int64 in ``train``; in ``test`` what scores need to know of each card.

        That is a dictionary of (N,) int64, by the names of `HIDDEN`.
        """
        if self.split == "train":
            return self._labels[self._rows]
        return {name: table[self._rows] for name, table in self._hidden.items()}

    def frames(self) -> tuple[npt.NDArray[np.uint8], ...]:
        """The images in three channels, enlarged."""
        height, width, _ = self.settings.images.shape
        times = max(-(-SMALLEST_FRAME // height), 1)
        images = np.broadcast_to(self.observe(), (self.num_envs, height, width, 3))
        return tuple(images.repeat(times, axis=1).repeat(times, axis=2))

    def _shuffle(self) -> None:
        """The deck of the test, which the seed of the reset decides."""
        deck = make_deck(self.settings, self.streams.shared("deck"))
        self._images, self._labels = deck.images, deck.labels
        self._hidden = {name: getattr(deck, name) for name in HIDDEN}
        self._visit = self._all % len(self._images)
        self._stride = golden_stride(len(self._images))
