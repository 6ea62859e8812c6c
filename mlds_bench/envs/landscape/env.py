"""The environment of homework 1-2: query a loss surface, and move on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from mlds_bench.common.settings import make_settings
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome, Split
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import LIMIT, MOVE_BOUND, Settings
from mlds_bench.envs.landscape.trace import TRACED_RUNS, Schedule
from mlds_bench.envs.landscape.values import logarithm, query, restlessness, value
from mlds_bench.envs.recorders import EndRecorder, Indices
from mlds_bench.measures.points import Array


class LossLandscape(BatchedEnv):
    """Optimize a loss: an agent asks for loss and gradient at theta + v, and may move there.

    Observation: Dict of float64 Boxes, all clipped to [-1e12, 1e12]: ``loss`` (1,) and ``gradient``
    (d,) (absent with ``gradient=False``) at the point that was asked about last, which is theta
    itself at the start and after a move; ``queries_left`` (1,), in queries.

    Action: Box (d + 1,) float64: the vector v, each coordinate in [-1e6, 1e6] in units of theta,
    and last the decision, in [-1, 1]: above 0 moves theta to theta + v, else theta stays and
    theta + v is only probed. Either is one query.

    Reward: log10 of the value at theta before, minus log10 of the value after: 0 for a probe; it
    telescopes. The value is the loss above the problem's bottom (its global minimum; where the loss
    has no lower bound, a level one unit below the saddle), or the norm of the gradient with
    ``objective="gradient_norm"``; at least 1e-30. A move to a loss or gradient norm that is NaN
    or beyond 1e12 counts as 1e12: a finite penalty.

    Oracle: dictionary of ``loss`` (1,) and ``gradient`` (d,) at the queried point, as in the
    observation, gradient included in any case, and ``theta`` (d,), the current point.

    Feedback: none.

    End of episode: ``terminated`` when the value at theta is at most ``solved``, or when theta
    diverged (see the reward); ``truncated`` when ``query_budget`` queries are used up, or when
    theta came to rest: a gradient norm of at most ``gradient_tolerance`` (of every neuron, where
    the problem is one layer of them).

    Scores: ``solved_share`` (primary; higher is better), ``log10_loss``, ``gradient_norm``,
    ``minimal_ratio`` and, with ``objective="gradient_norm"``, ``spearman``; see
    `mlds_bench.envs.landscape.scoring`. The test split records how episodes end, not every step,
    and traces the first runs for `mlds_bench.envs.landscape.pictures`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homework 1-2, and the
    lectures on optimization; problems in `mlds_bench.envs.landscape.specs`.

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: None; there is nothing to render.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: the problem and its parameters (``problem``, ``hidden``, ``activation``,
            ``depth``, ``k``, ``n``, ``points``), ``query_budget``, ``gradient``, ``objective``,
            ``solved``, ``gradient_tolerance``, ``start_scale``; see
            `mlds_bench.envs.landscape.specs.Settings`.

    Raises:
        ValueError: one line that names the argument, its value and its bound.
    """

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
        self.problem = make_problem(self.settings)
        self.query_budget = self.settings.queries
        self._solved = self.settings.threshold
        d = self.problem.dimension
        super().__init__(
            _observation_space(d, self.query_budget, gradient=self.settings.gradient),
            _action_space(d),
            num_envs=num_envs,
            split=split,
            seed=seed,
            render_mode=render_mode,
            max_episode_steps=max_episode_steps,
        )
        self._theta = np.zeros((num_envs, d))
        self._loss = np.zeros(num_envs)
        self._gradient = np.zeros((num_envs, d))
        self._value = np.zeros(num_envs)
        self._used = np.zeros(num_envs, np.int64)
        self._traced = Schedule.of(self.query_budget, d)
        self._asked = 0

    def make_recorder(self) -> EndRecorder:
        """Scores need the last point theta of an episode, pictures its length as well."""
        return EndRecorder(("length",), self._last_points)

    def draw(self, mask: Flags) -> None:
        """New starting points where ``mask`` (N,) is True; what is seen there costs no query."""
        ids = np.flatnonzero(mask)
        theta = self.problem.start(self.streams, ids) * self.settings.start_scale
        loss, gradient = query(self.problem, theta)
        self._theta[ids], self._loss[ids], self._gradient[ids] = theta, loss, gradient
        self._value[ids] = self._value_at(loss, gradient)
        self._used[ids] = 0
        if len(self.recording.trace) == 0:
            self._asked = 0

    def observe(self) -> dict[str, Array]:
        """Loss (N, 1), gradient (N, d) where it is shown, queries left (N, 1)."""
        seen = {"loss": self._loss[:, None].copy()}
        if self.settings.gradient:
            seen["gradient"] = self._gradient.copy()
        seen["queries_left"] = (self.query_budget - self._used.astype(np.float64))[:, None]
        return seen

    def advance(self, actions: Array) -> Outcome:
        """Query theta + v everywhere, and move there where the decision says so."""
        if self.split == "test":
            self._trace()
        moves = actions[:, -1] > 0.0
        all_move = moves.all()
        point = np.add(self._theta, actions[:, :-1], out=self._theta if all_move else None)
        self._loss, self._gradient = query(self.problem, point)
        before, self._value = self._value, self._value_at(self._loss, self._gradient)
        if not all_move:
            np.copyto(self._theta, point, where=moves[:, None])
            np.copyto(self._value, before, where=~moves)
        self._used += 1
        reward = logarithm(before) - logarithm(self._value)
        terminated = (self._value <= self._solved) | (self._value >= LIMIT)
        truncated = self._used >= self.query_budget
        if self.settings.gradient_tolerance:
            truncated |= moves & self._at_rest()
        return reward, terminated, truncated & ~terminated

    def _at_rest(self) -> Flags:
        """Where (N,) no neuron's gradient is above the tolerance.

        For most instances the first coordinate alone shows that they still move.
        """
        tolerance = self.settings.gradient_tolerance
        rests = np.abs(self._gradient[:, 0]) <= tolerance
        if rests.any():
            rests[rests] = restlessness(self._gradient[rests], self.problem.neurons) <= tolerance
        return rests

    def narrow(self, mask: Flags) -> None:
        """Drop the points where ``mask`` (N,) is False."""
        for name in ("_theta", "_loss", "_gradient", "_value", "_used"):
            setattr(self, name, getattr(self, name)[mask])

    def oracle(self) -> dict[str, Array]:
        """Loss (N, 1) and gradient (N, d) at the queried point, and theta (N, d)."""
        return {
            "loss": self._loss[:, None].copy(),
            "gradient": self._gradient.copy(),
            "theta": self._theta.copy(),
        }

    def _last_points(self, rows: Indices) -> dict[str, Array]:
        return {"theta": self._theta[rows]}

    def _trace(self) -> None:
        """Note where the first instances stand in their first episodes, for pictures."""
        query, self._asked = self._asked, self._asked + 1  # of the first episodes, while they last
        if query not in self._traced:
            return
        instance = self.instances[:TRACED_RUNS]
        rows = np.flatnonzero((instance < TRACED_RUNS) & (self._episode[:TRACED_RUNS] == 0))
        if len(rows):
            entry = {"query": query, "instance": instance[rows], "theta": self._theta[rows]}
            self.recording.trace.append(entry)

    def _value_at(self, loss: Array, gradient: Array) -> Array:
        objective = self.settings.objective
        return value(loss, gradient, bottom=self.problem.bottom, objective=objective)


def _observation_space(dimension: int, query_budget: int, *, gradient: bool) -> spaces.Dict:
    seen: dict[str, spaces.Space[Array]] = {"loss": spaces.Box(-LIMIT, LIMIT, (1,), np.float64)}
    if gradient:
        seen["gradient"] = spaces.Box(-LIMIT, LIMIT, (dimension,), np.float64)
    seen["queries_left"] = spaces.Box(0.0, float(query_budget), (1,), np.float64)
    return spaces.Dict(seen)


def _action_space(dimension: int) -> spaces.Box:
    bound = np.full(dimension + 1, MOVE_BOUND)
    bound[-1] = 1.0
    return spaces.Box(-bound, bound, dtype=np.float64)
