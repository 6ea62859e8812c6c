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
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from mlds_bench.common.trees import on_each
from mlds_bench.envs.actions import InvalidAction, integer_bounds
from mlds_bench.envs.core import BatchedEnv
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.envs.single import SingleEnv

Factory: TypeAlias = Callable[..., BatchedEnv]
Step: TypeAlias = dict[str, Any]

STEPS = 30
COUPLED = ("reward", "feedback")
"""What may depend on the other instances where ``metadata["coupled"]`` says so."""


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
        action = sample_actions(env.single_action_space, generators)
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


def sample_actions(space: spaces.Space[Any], generators: list[np.random.Generator]) -> Any:
    """One random action per instance, (N, ...), each from its own generator."""
    if isinstance(space, spaces.Dict):
        return {key: sample_actions(inner, generators) for key, inner in space.spaces.items()}
    rows = []
    for generator in generators:
        space.seed(int(generator.integers(2**31)))
        rows.append(space.sample())
    return np.array(rows)


def holds(space: spaces.Space[Any], batch: Any, num_envs: int) -> bool:
    """Whether every row of a batch (num_envs, ...) lies in the space of one instance."""
    if isinstance(space, spaces.Dict):
        return (
            isinstance(batch, Mapping)
            and set(batch) == set(space.spaces)
            and all(holds(inner, batch[key], num_envs) for key, inner in space.spaces.items())
        )
    shape = (num_envs, *(space.shape or ()))
    if not isinstance(batch, np.ndarray) or batch.shape != shape:
        return False
    if not np.can_cast(batch.dtype, np.dtype(space.dtype)):
        return False
    low, high = integer_bounds(space)
    return bool(((batch >= low) & (batch <= high)).all())


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


def _third_party_checkers(make: Factory) -> None:
    from gymnasium.utils.env_checker import check_env as gymnasium_check
    from stable_baselines3.common.env_checker import check_env as sb3_check

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # recommendations (normalize, use float32) are not rules
        for name, check in {
            "Gymnasium": partial(gymnasium_check, skip_render_check=True),
            "Stable-Baselines3": partial(sb3_check, warn=False, skip_render_check=True),
        }.items():
            try:
                check(SingleEnv(make(num_envs=1, split="train", seed=0)))
            except Exception as error:
                line = " ".join(str(error).split())
                raise ContractViolation(f"{name}'s checker says: {line}") from error


def _spaces(make: Factory) -> None:
    env, other = (make(num_envs=3, split=split, seed=0) for split in ("train", "test"))
    for name in ("single_observation_space", "single_action_space"):
        train, test = (getattr(one, name) for one in (env, other))
        _demand(train == test, f"{name} is {train} in train and {test} in test")
    mode = env.metadata.get("autoreset_mode")
    _demand(mode is AutoresetMode.SAME_STEP, f"metadata['autoreset_mode'] is {mode}, not SAME_STEP")
    for index, step in enumerate(rollout(env, 0, 3)):
        seen = step["observation"]
        is_inside = holds(env.single_observation_space, seen, 3)
        _demand(is_inside, f"observation {index} not in its space")
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
            walks.append(dict(leaves([*path, {"recording": _recorded(env)}])))
        expected, got = walks
        _compare(expected, got, "an array that changed hands is still in use at")


def _recorded(env: BatchedEnv) -> dict[str, Any]:
    """What was recorded; nothing where the walk was too short for that."""
    try:
        return env.recording.arrays()
    except ValueError:
        return {}


def _repeats(make: Factory) -> None:
    first = dict(leaves(rollout(make(num_envs=3, split="train", seed=0), 5, 3)))
    env = make(num_envs=3, split="train", seed=1)
    rollout(env, 9, 3, steps=4)
    _compare(first, dict(leaves(rollout(env, 5, 3))), "the same seed gave another value at")


def _batch_sizes(make: Factory) -> None:
    env = make(num_envs=7, split="train", seed=0)
    exempt = COUPLED if env.metadata["coupled"] else ()
    batch = rollout(env, 3, 7)
    for size in (1, 2):
        alone = rollout(make(num_envs=size, split="train", seed=0), 3, size)
        part = {place: array[:size] for place, array in leaves(batch)}
        told, expected = (
            _without(_where_told(arrays), exempt) for arrays in (part, dict(leaves(alone)))
        )
        place = f"an instance differs between batches of 7 and {size} at"
        _compare(told, expected, place, env.tolerance)


def _without(arrays: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        place: array
        for place, array in arrays.items()
        if not any(f"['{name}']" in place or f"['_{name}']" in place for name in names)
    }


def _where_told(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Final observations count only in the rows that ended, which the mask beside them marks."""
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
    for place in {**expected, **got}:  # in order, so that the first difference is named
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
        is_inside = holds(env.single_observation_space, infos["final_obs"], 3)
        _demand(is_inside, "final_obs not in its space")


def _split_rule(make: Factory) -> None:
    for split, told in {"train": True, "test": False}.items():
        env = make(num_envs=2, split=split, seed=0)
        path = rollout(env, 0, 2)
        has = {"oracle": env.oracle() is not None, "feedback": env.feedback() is not None}
        for index, step in enumerate(path):
            for name in has:
                places = [place for place, _ in leaves(step["infos"]) if name in place]
                _demand(told or not places, f"the test split tells infos{places[:1]}")
            if told and has["oracle"]:
                _demand("oracle" in step["infos"], "the train split does not tell the oracle")
            if told and has["feedback"]:
                _tells_feedback(step["infos"], is_reset=index == 0)


def _tells_feedback(infos: Mapping[str, Any], *, is_reset: bool) -> None:
    if is_reset:
        _demand("feedback" not in infos, "a reset tells feedback, about no action")
        return
    _demand("feedback" in infos, "the train split does not tell feedback in every step")
    marks = infos["_feedback"]
    _demand(bool(marks.all()), f"infos['_feedback'] is {marks}: feedback is of every instance")


def _recording(make: Factory) -> None:
    env = make(num_envs=2, split="test", seed=0)
    env.record(episodes=1)
    path = rollout(env, 0, 2)
    ended = np.zeros(2, np.int64)
    for step in path[1:]:
        done = step["terminated"] | step["truncated"]
        again = done & (ended > 0)
        _demand(not again.any(), "an instance that has ended its episodes ended another")
        resting = step["reward"][ended > 0]
        _demand(not resting.any(), f"an instance that has ended its episodes is paid {resting}")
        ended += done
    got = env.recording.ended
    _demand(np.array_equal(got, ended), f"recorded {got} ends of episodes, there were {ended}")
    if ended.all():
        _demand(env.recording.is_complete, "all episodes that count have ended: not complete")
        env.recording.arrays()


def _invalid_actions(make: Factory) -> None:
    env = make(num_envs=2, split="train", seed=0)
    rollout(env, 0, 2, steps=1)
    good = rollout(env, 0, 2, steps=1)[1]["action"]
    for name, bad in _spoil(env.single_action_space, good):
        try:
            env.step(bad)
        except InvalidAction:
            continue
        raise ContractViolation(f"an action that is {name} was taken")


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
    "split rule": _split_rule,
    "recording": _recording,
    "invalid actions": _invalid_actions,
}
