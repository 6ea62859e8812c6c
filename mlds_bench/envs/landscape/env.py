"""The environment of homework 1-2: query a loss surface, and move on it."""

from __future__ import annotations

import math
from typing import ClassVar, get_args

import numpy as np
from gymnasium import spaces

from mlds_bench.envs.core import BatchedEnv, Flags, Outcome, Split
from mlds_bench.envs.landscape.problems.base import Array
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import LIMIT, MOVE_BOUND, Objective, threshold
from mlds_bench.envs.landscape.trace import TRACED_RUNS, Schedule
from mlds_bench.envs.landscape.values import logarithm, query, restlessness, value
from mlds_bench.envs.recording import Recorded


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
    ``objective="gradient_norm"``; at least 1e-30. A move to a loss or gradient norm that is beyond
    1e12 or no number counts as 1e12: a finite penalty.

    Oracle: dictionary of ``loss`` (1,) and ``gradient`` (d,) at the queried point, as in the
    observation, gradient included in any case, and ``theta`` (d,), the current point.

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
        problem: a key of `mlds_bench.envs.landscape.specs.PROBLEMS`.
        hidden: neurons of a hidden layer, where the problem is a network.
        activation: ``relu``, ``sigmoid`` or ``tanh``, where the problem is a network.
        depth: factors of ``deep-linear``; hidden layers of ``sinc``.
        k: neurons of the teacher.
        n: neurons of the student; k unless given.
        points: training examples of ``sinc`` and ``digits``.
        query_budget: queries an episode; the problem's own unless given.
        gradient: whether the observation holds the gradient.
        objective: what is to be made small: ``loss`` or ``gradient_norm``.
        solved: value that ends an episode; unless given, the problem's own (``loss``) or 1e-3
            (``gradient_norm``).
        gradient_tolerance: gradient norm at theta that ends an episode unsolved, where descent has
            come to rest; 0 for never.
        start_scale: factor of the starting points.
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.

    Raises:
        ValueError: one line that names the argument, its value and its bound.
    """

    recorded: ClassVar[Recorded] = "ends"
    can_shrink: ClassVar[bool] = True

    def __init__(
        self,
        problem: str = "xor",
        *,
        hidden: int | None = None,
        activation: str | None = None,
        depth: int | None = None,
        k: int | None = None,
        n: int | None = None,
        points: int | None = None,
        query_budget: int | None = None,
        gradient: bool = True,
        objective: Objective = "loss",
        solved: float | None = None,
        gradient_tolerance: float = 0.0,
        start_scale: float = 1.0,
        num_envs: int = 1,
        split: Split = "train",
        seed: int | None = None,
    ) -> None:
        self.problem = make_problem(
            problem, hidden=hidden, activation=activation, depth=depth, k=k, n=n, points=points
        )
        self.objective = _checked_objective(objective)
        self.solved = _checked_number("solved", threshold(self.problem.spec, objective, solved))
        self.gradient_tolerance = _checked_number("gradient_tolerance", gradient_tolerance)
        self.start_scale = _checked_number("start_scale", start_scale)
        self.query_budget = _checked_budget(
            self.problem.spec.query_budget if query_budget is None else query_budget
        )
        self.shows_gradient = gradient
        d = self.problem.dimension
        super().__init__(
            _observation_space(d, self.query_budget, gradient=gradient),
            _action_space(d),
            num_envs=num_envs,
            split=split,
            seed=seed,
        )
        self._theta = np.zeros((num_envs, d))
        self._loss = np.zeros(num_envs)
        self._gradient = np.zeros((num_envs, d))
        self._value = np.zeros(num_envs)
        self._used = np.zeros(num_envs, np.int64)
        self._traced = Schedule.of(self.query_budget, d)
        self._asked = 0

    def draw(self, mask: Flags) -> None:
        """New starting points where ``mask`` (N,) is True; what is seen there costs no query."""
        ids = np.flatnonzero(mask)
        theta = self.problem.start(self.streams, ids) * self.start_scale
        loss, gradient = query(self.problem, theta)
        self._theta[ids], self._loss[ids], self._gradient[ids] = theta, loss, gradient
        self._value[ids] = self._value_at(loss, gradient)
        self._used[ids] = 0
        if len(self.recording.trace) == 0:
            self._asked = 0

    def observe(self) -> dict[str, Array]:
        """Loss (N, 1), gradient (N, d) where it is shown, queries left (N, 1)."""
        seen = {"loss": self._loss[:, None].copy()}
        if self.shows_gradient:
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
        terminated = (self._value <= self.solved) | (self._value >= LIMIT)
        truncated = self._used >= self.query_budget
        if self.gradient_tolerance:
            truncated |= moves & self._at_rest()
        return reward, terminated, truncated & ~terminated

    def _at_rest(self) -> Flags:
        """Where (N,) no neuron's gradient is above the tolerance.

        Most instances are found to move by their first coordinate alone.
        """
        rests = np.abs(self._gradient[:, 0]) <= self.gradient_tolerance
        if rests.any():
            unrest = restlessness(self._gradient[rests], self.problem.neurons)
            rests[rests] = unrest <= self.gradient_tolerance
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

    def _trace(self) -> None:
        """Note where the first instances stand in their first episodes, for pictures."""
        query, self._asked = self._asked, self._asked + 1  # of the first episodes, while they last
        if query not in self._traced:
            return
        instance = self._instance[:TRACED_RUNS]
        rows = np.flatnonzero((instance < TRACED_RUNS) & (self._episode[:TRACED_RUNS] == 0))
        if len(rows):
            entry = {"query": query, "instance": instance[rows], "theta": self._theta[rows]}
            self.recording.trace.append(entry)

    def _value_at(self, loss: Array, gradient: Array) -> Array:
        return value(loss, gradient, bottom=self.problem.bottom, objective=self.objective)


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


def _checked_objective(objective: str) -> Objective:
    for known in get_args(Objective):
        if objective == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(
        f"objective must be one of {', '.join(get_args(Objective))}, got {objective!r}"
    )


def _checked_budget(queries: int) -> int:
    if isinstance(queries, bool) or not isinstance(queries, int) or queries < 1:
        raise ValueError(f"query_budget must be a whole number of at least 1, got {queries!r}")
    return queries


def _checked_number(name: str, number: float) -> float:
    if not (math.isfinite(number) and number >= 0.0):
        raise ValueError(f"{name} must be a finite number of at least 0, got {number!r}")
    return float(number)
