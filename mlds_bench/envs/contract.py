"""The environment contract as one function, run by the tests over every registered id.

A check takes a factory ``make(num_envs=, split=, seed=)`` and raises `ContractViolation` with one
line that says which rule is broken and where.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from mlds_bench.common.trees import on_each
from mlds_bench.envs.core import BatchedEnv, InvalidAction, SingleView
from mlds_bench.envs.registry import ENVIRONMENTS

Factory: TypeAlias = Callable[..., BatchedEnv]
Step: TypeAlias = dict[str, Any]

STEPS = 30
TOLERANCE = 1e-9
"""Across batch sizes the floating-point parts of an instance agree to this, relatively."""


class ContractViolation(AssertionError):
    """An environment breaks a rule of the contract."""


def check_id(env_id: str, **env_kwargs: Any) -> list[str]:
    """Check a registered environment; returns the names of the checks it passed."""
    return check_env(partial(ENVIRONMENTS[env_id].batched_class, **env_kwargs))


def check_env(make: Factory) -> list[str]:
    """Check an environment against the whole contract.

    Args:
        make: makes the batched environment from ``num_envs``, ``split`` and ``seed``.

    Raises:
        ContractViolation: one line, with the name of the broken rule first.
    """
    for name, check in CHECKS.items():
        try:
            check(make)
        except ContractViolation as violation:
            raise ContractViolation(f"{name}: {violation}") from violation
        except Exception as error:
            line = f"raised {type(error).__name__}: {error}"
            raise ContractViolation(f"{name}: {line}") from error
    return list(CHECKS)


def rollout(
    env: Any, seed: int, num_envs: int, *, steps: int = STEPS, vandal: bool = False
) -> list[Step]:
    """Reset and act at random; instance i acts alike in a batch of any size.

    A ``vandal`` overwrites every array that the environment hands out or was handed, after
    copying it.
    """
    generators = [np.random.default_rng([seed, i]) for i in range(num_envs)]
    observation, infos = env.reset(seed=seed)
    names = ("observation", "reward", "terminated", "truncated", "infos")
    path = [_keep({"observation": observation, "infos": infos}, vandal)]
    for _ in range(steps):
        mask = path[-1]["infos"].get("action_mask")
        action = sample_actions(env.single_action_space, generators, mask)
        acted = on_each({"action": action}, np.copy)
        step = dict(zip(names, env.step(action), strict=True))
        path.append({**_keep(step, vandal), **acted})
        _keep({"action": action}, vandal)
    return path


def _keep(step: Step, vandal: bool) -> Step:
    kept: Step = on_each(step, np.copy)
    if vandal:
        for _, array in leaves(step):
            array[...] = ~array if array.dtype.kind == "b" else array + np.ones_like(array)
    return kept


def sample_actions(
    space: spaces.Space[Any],
    generators: list[np.random.Generator],
    mask: npt.NDArray[np.bool_] | None = None,
) -> Any:
    """One random legal action an instance, (N, ...), each from its own generator."""
    if isinstance(space, spaces.Dict):
        return {key: sample_actions(inner, generators) for key, inner in space.spaces.items()}
    if mask is not None and isinstance(space, spaces.Discrete):
        legal = [np.flatnonzero(row) + space.start for row in mask]
        return np.array([g.choice(row) for g, row in zip(generators, legal, strict=True)])
    rows = []
    for generator in generators:
        space.seed(int(generator.integers(2**31)))
        rows.append(space.sample())
    return np.array(rows)


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays of a nested structure with their places."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{path}[{key!r}]")
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{path}[{index}]")
    else:
        yield path, tree


def _demand(condition: bool, message: str) -> None:
    if not condition:
        raise ContractViolation(message)


class _LegalView(SingleView):
    """Plays a legal action for a masked one: other people's checkers sample without the mask."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        mask, space = self.batched.action_mask, self.action_space
        if mask is not None and isinstance(space, spaces.Discrete):
            action = action if mask[0, action - space.start] else mask[0].argmax() + space.start
        return super().step(action)


def _third_party_checkers(make: Factory) -> None:
    from gymnasium.utils.env_checker import check_env as gymnasium_check
    from stable_baselines3.common.env_checker import check_env as sb3_check

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # recommendations (normalise, use float32) are no rules
        for name, check in {
            "Gymnasium": partial(gymnasium_check, skip_render_check=True),
            "Stable-Baselines3": partial(sb3_check, warn=False, skip_render_check=True),
        }.items():
            try:
                check(_LegalView(make(num_envs=1, split="train", seed=0)))
            except Exception as error:
                line = " ".join(str(error).split())
                raise ContractViolation(f"{name}'s checker says: {line}") from error


def _spaces(make: Factory) -> None:
    env = make(num_envs=3, split="train", seed=0)
    mode = env.metadata.get("autoreset_mode")
    _demand(mode is AutoresetMode.SAME_STEP, f"metadata['autoreset_mode'] is {mode}, not SAME_STEP")
    for index, step in enumerate(rollout(env, 0, 3)):
        seen = step["observation"]
        _demand(env.observation_space.contains(seen), f"observation {index} not in its space")
        if "reward" not in step:
            continue
        for name, kind in {"reward": "f8", "terminated": "?", "truncated": "?"}.items():
            array = step[name]
            _demand(
                array.shape == (3,) and array.dtype == np.dtype(kind),
                f"{name} is {array.dtype} {array.shape}, expected {np.dtype(kind)} (3,)",
            )
        _demand(bool(np.isfinite(step["reward"]).all()), f"reward {step['reward']} is not finite")


def _fresh_arrays(make: Factory) -> None:
    for split in ("train", "test"):
        walks = []
        for vandal in (False, True):
            env = make(num_envs=3, split=split, seed=0)
            path = rollout(env, 0, 3, vandal=vandal)
            recorded = env.recording.arrays() if len(env.recording) else {}
            walks.append(dict(leaves([*path, {"recording": recorded}])))
        expected, got = walks
        _compare(expected, got, "an array that changed hands is still in use at")


def _repeats(make: Factory) -> None:
    first = dict(leaves(rollout(make(num_envs=3, split="train", seed=0), 5, 3)))
    env = make(num_envs=3, split="train", seed=1)
    rollout(env, 9, 3, steps=4)
    _compare(first, dict(leaves(rollout(env, 5, 3))), "the same seed gave another value at")


def _batch_sizes(make: Factory) -> None:
    env = make(num_envs=7, split="train", seed=0)
    if env.metadata["coupled"]:
        return
    batch = rollout(env, 3, 7)
    for size in (1, 2):
        alone = rollout(make(num_envs=size, split="train", seed=0), 3, size)
        part = {place: array[:size] for place, array in leaves(batch)}
        place = f"an instance differs between batches of 7 and {size} at"
        _compare(_where_told(part), _where_told(dict(leaves(alone))), place, TOLERANCE)


def _where_told(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Final observations count only in the rows that ended; the mask of a place is its twin."""
    told = {}
    for place, array in arrays.items():
        mask = _final_mask(arrays, place)
        told[place] = array if mask is None else array[mask]
    return {place: array for place, array in told.items() if len(array)}


def _final_mask(arrays: Mapping[str, Any], place: str) -> Any:
    for key in ("final_obs", "final_info"):
        head, found, _ = place.partition(f"['{key}']")
        if found:
            return arrays[f"{head}['_{key}']"]
        if f"['_{key}']" in place:
            return arrays[place]
    return None


def _compare(
    expected: Mapping[str, Any], got: Mapping[str, Any], complaint: str, tolerance: float = 0.0
) -> None:
    for place in expected.keys() | got.keys():
        _demand(place in expected and place in got, f"{complaint} step{place}: told only once")
        a, b = np.asarray(expected[place]), np.asarray(got[place])
        exact = tolerance == 0.0 or a.dtype.kind != "f"
        same = (
            a.shape == b.shape
            and a.dtype == b.dtype
            and (a.tobytes() == b.tobytes() if exact else np.allclose(a, b, tolerance, tolerance))
        )
        _demand(same, f"{complaint} step{place}")


def _autoreset(make: Factory) -> None:
    env = make(num_envs=3, split="train", seed=0)
    for step in rollout(env, 0, 3)[1:]:
        done, infos = step["terminated"] | step["truncated"], step["infos"]
        _demand(("final_obs" in infos) == bool(done.any()), "final_obs must come with an end only")
        if not done.any():
            continue
        for key in ("_final_obs", "_final_info"):
            _demand(
                np.array_equal(infos[key], done), f"infos[{key!r}] must mark the ended instances"
            )
        _demand(env.observation_space.contains(infos["final_obs"]), "final_obs not in its space")


def _oracle_rule(make: Factory) -> None:
    for split, told in {"train": True, "test": False}.items():
        env = make(num_envs=2, split=split, seed=0)
        path = rollout(env, 0, 2)
        has_oracle = env.oracle() is not None
        for step in path:
            places = [place for place, _ in leaves(step["infos"]) if "oracle" in place]
            _demand(told or not places, f"the test split tells infos{places[:1]}")
            if told and has_oracle:
                _demand("oracle" in step["infos"], "the train split does not tell the oracle")
    expected, name = len(path) - 1, "test steps"
    if env.recorded == "ends":
        ended = [step["terminated"] | step["truncated"] for step in path[1:]]
        expected, name = int(np.sum(ended)), "ends of episodes"
    got = len(env.recording)
    _demand(got == expected, f"{got} of {expected} {name} recorded")


def _invalid_actions(make: Factory) -> None:
    env = make(num_envs=2, split="train", seed=0)
    rollout(env, 0, 2, steps=1)
    good = rollout(env, 0, 2, steps=1)[1]["action"]
    for name, bad in [*_spoil(env.single_action_space, good), *_masked(env, good)]:
        try:
            env.step(bad)
        except InvalidAction:
            continue
        raise ContractViolation(f"an action that is {name} was taken")


def _masked(env: BatchedEnv, good: Any) -> Iterator[tuple[str, Any]]:
    if env.action_mask is not None and not env.action_mask.all():
        row, choice = np.argwhere(~env.action_mask)[0]
        bad = np.copy(good)
        bad[row] = choice + getattr(env.single_action_space, "start", 0)
        yield "masked", bad


def _spoil(space: spaces.Space[Any], good: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(space, spaces.Dict):
        key, inner = next(iter(space.spaces.items()))
        yield "a mapping without a key", {k: v for k, v in good.items() if k != key}
        for name, bad in _spoil(inner, good[key]):
            yield f"{name} under {key!r}", {**good, key: bad}
        return
    yield "of the wrong shape", good[:1]
    yield "text", np.full(good.shape, "up")
    if good.dtype.kind == "f":
        yield "NaN", np.full_like(good, np.nan)
        yield "infinite", np.full_like(good, np.inf)
    else:
        yield "not whole", good + 0.5
        yield "out of range", good.astype(np.int64) - 10**6


CHECKS: dict[str, Callable[[Factory], None]] = {
    "third-party checkers": _third_party_checkers,
    "spaces": _spaces,
    "fresh arrays": _fresh_arrays,
    "repeats": _repeats,
    "batch sizes": _batch_sizes,
    "autoreset": _autoreset,
    "oracle rule": _oracle_rule,
    "invalid actions": _invalid_actions,
}
