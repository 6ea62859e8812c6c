"""Homework 4: Pong and Breakout; values are points of the game itself, never clipped."""

from __future__ import annotations

from mlds_bench.agents.budget import Budget
from mlds_bench.benchmarks.plan.presets import FIVE_SEEDS
from mlds_bench.benchmarks.plan.variant import Run, Runs, TestSize, Variant
from mlds_bench.leaderboard.record import Anchor, Anchors, Published, Score

HOMEWORKS = {
    "hw4-1": "policy gradient: can a policy learn Pong from its rewards alone?",
    "hw4-2": "deep Q-learning: which improvements of DQN help in Breakout?",
    "hw4-3": "actor-critic: how far does it come in Pong and Breakout?",
}

COURSE = "MLDS 2018"
ZOO = "rl-baselines3-zoo, published benchmark: 1 run of 10 M steps, evaluated separately"
CLEANRL = "CleanRL, published benchmark: 3 runs of 10 M steps, last 100 training episodes"
GAMES = {"pong": 30, "breakout": 20}
"""Games of a test from `standard` on; twenty games of Breakout are the course's hundred lives."""

# A step is a decision, which lasts four frames; the seconds end what the steps do not. Learning
# rates fall with whichever is further, so that a cell repeats where its steps lead: at `quick` down
# to 400 of them per second. In `standard` the first homework asks for a pass mark, the second has
# the improvements of DQN at equal steps and leaves one of them the time to pass, and the third is
# about how far an actor-critic comes: in half an hour of Pong, in as many steps of Breakout as DQN
# has.
SHORT = {"smoke": Budget(2_048, seconds=20.0), "quick": Budget(60_000, seconds=150.0)}
COURSE_SCALE = {"course": Budget(10_000_000, seconds=21_600.0)}
BUDGETS = {
    "hw4-1/pong": {**SHORT, "standard": Budget(900_000, seconds=1_800.0), **COURSE_SCALE},
    "hw4-2/breakout": {**SHORT, "standard": Budget(2_000_000, seconds=10_800.0), **COURSE_SCALE},
    "hw4-3/pong": {**SHORT, "standard": Budget(4_000_000, seconds=1_800.0), **COURSE_SCALE},
    "hw4-3/breakout": {**SHORT, "standard": Budget(2_000_000, seconds=7_200.0), **COURSE_SCALE},
}
BY_AGENT = {
    # As many decisions as ours has, in a time of their own.
    "hw4-1/pong": {
        "sb3:*": {**SHORT, "standard": Budget(900_000, seconds=5_400.0), **COURSE_SCALE},
    },
    "hw4-2/breakout": {
        "ppo": {**SHORT, "standard": Budget(7_000_000, seconds=3_600.0), **COURSE_SCALE},
        "n-step": {**SHORT, "standard": Budget(5_000_000, seconds=10_800.0), **COURSE_SCALE},
    },
}
# The course's policy gradient learns once from each of about 6,000 games; `standard` has
# about 1,500.
REINFORCE = {
    **SHORT,
    "standard": Budget(5_000_000, seconds=10_800.0),
    "course": Budget(20_000_000, seconds=21_600.0),
}
RANDOM = {
    "pong": Anchor(value=-20.23, source="uniform actions: the 300 games of the records, +- 0.06"),
    "breakout": Anchor(value=1.26, source="uniform actions: measured, 240 games, +- 0.09"),
    "breakout life": Anchor(value=0.252, source="uniform actions: measured, 1200 lives, +- 0.017"),
}
TRIVIAL = {
    "pong": Anchor(value=-21.0, source="always NOOP loses every point; measured, 10 games"),
    "breakout": Anchor(value=0.0, source="always NOOP never serves again; measured, 50 games"),
}
ZOO_FIGURES = {
    "pong": {"PPO": 20.99, "A2C": 17.29, "DQN": 20.60},
    "breakout": {"PPO": 398.0, "A2C": 280.0, "DQN": 358.0},
}
CLEANRL_FIGURES = {
    "pong": {"PPO": 20.36, "PPO, EnvPool and XLA": 20.39, "DQN": 20.25},
    "breakout": {"PPO": 414.7, "PPO, EnvPool and XLA": 430.1, "DQN": 366.9},
}
ACTOR_CRITIC = {"pong": 21.0, "breakout": 400.0}
"""The best that the course's teams report: ACKTR, full games."""
MOST = {
    "pong": Anchor(value=21.0, source="exact: the most points a game has"),
    "breakout": Anchor(value=864.0, source="exact: the bricks of both walls"),
}


def _variant(
    homework: str,
    game: str,
    summary: str,
    primary: str,
    anchors: Anchors,
    agents: tuple[str, ...],
    published: tuple[Published, ...],
    *,
    preview: tuple[str, ...],
    pass_return: float | None = None,
    headline: bool = False,
) -> Variant:
    return Variant(
        homework=homework,
        name=game,
        summary=summary,
        env_id=f"mlds/{game.capitalize()}-v0",
        env_kwargs={},
        scores=(Score(name=primary, higher_is_better=True),),
        anchors=anchors,
        headline=headline,
        budgets=BUDGETS[f"{homework}/{game}"],
        runs=_runs(("random", "constant", *agents), preview),
        test_sizes={
            "smoke": TestSize(2),
            "quick": TestSize(6),
            **dict.fromkeys(("standard", "course"), TestSize(GAMES[game])),
        },
        budgets_by_agent={"reinforce*": REINFORCE, **BY_AGENT.get(f"{homework}/{game}", {})},
        threads=2,
        pass_return=pass_return,
        published=published,
    )


def _runs(agents: tuple[str, ...], preview: tuple[str, ...]) -> dict[str, Runs]:
    """Learning takes hours: of this homework `all` runs a preview, and that at quick only."""
    return {
        "smoke": Runs(Run(agents, (0,)), None),
        "quick": Runs(Run(agents, (0, 1, 2)), Run(preview, (0,)) if preview else None),
        "standard": Runs(Run(agents, FIVE_SEEDS), None),
        "course": Runs(Run(agents, FIVE_SEEDS), None),
    }


def _course_row(label: str, value: float, source: str) -> Published:
    return Published(label=f"{label} (course)", value=value, source=f"{COURSE}, {source}")


def _benchmarks(game: str) -> tuple[Published, ...]:
    """Mean returns of full games at 10 M steps, by others."""
    zoo = ((f"{name} (rl-zoo3)", value, ZOO) for name, value in ZOO_FIGURES[game].items())
    cleanrl = ((f"{n} (CleanRL)", value, CLEANRL) for n, value in CLEANRL_FIGURES[game].items())
    rows = (*zoo, *cleanrl)
    return tuple(
        Published(label=label, value=value, source=source) for label, value, source in rows
    )


def _actor_critic(game: str, summary: str) -> Variant:
    """Homework 4-3 asks for curves and has no pass mark: 1 is a published plain actor-critic."""
    return _variant(
        "hw4-3",
        game,
        summary,
        "mean_return",
        Anchors(
            random=RANDOM[game],
            trivial=TRIVIAL[game],
            pass_mark=Anchor(value=ZOO_FIGURES[game]["A2C"], source=f"A2C of {ZOO}"),
            best=MOST[game],
        ),
        ("a2c", "ppo", "acktr"),
        (_course_row("ACKTR", ACTOR_CRITIC[game], "a team's report"), *_benchmarks(game)),
        preview=("random", "a2c") if game == "pong" else (),
        headline=game == "pong",
    )


VARIANTS = (
    _variant(
        "hw4-1",
        "pong",
        "Pong: mean return of 30 games",
        "mean_return",
        Anchors(
            random=RANDOM["pong"],
            trivial=TRIVIAL["pong"],
            pass_mark=Anchor(value=3.0, source=f"{COURSE}, homework 4-1: pass mark, 30 games"),
            best=MOST["pong"],
        ),
        ("reinforce", "ppo", "trpo"),
        (
            _course_row("PPO", 16.47, "measured on a team's committed results"),
            *_benchmarks("pong"),
        ),
        preview=("random", "ppo", "pretrained:ppo"),
        pass_return=3.0,
        headline=True,
    ),
    _variant(
        "hw4-2",
        "breakout",
        "Breakout: mean return of a life, 100 lives of 20 full games",
        "mean_life_return",
        Anchors(
            random=RANDOM["breakout life"],
            trivial=TRIVIAL["breakout"],
            pass_mark=Anchor(value=40.0, source=f"{COURSE}, homework 4-2: pass mark, 100 lives"),
            best=Anchor(value=75.8, source=f"{COURSE}, the best known of the course's teams"),
        ),
        (
            "dqn",
            "double-dqn",
            "dueling",
            "prioritized",
            "noisy",
            "c51",
            "n-step",
            "rainbow",
        ),
        (_course_row("DQN", 75.8, "measured on a team's committed results: return of a life"),),
        preview=("random", "pretrained:n-step", "pretrained:ppo"),
        headline=True,
    ),
    _actor_critic("pong", "Pong: mean return of 30 games, against hw4-1"),
    _actor_critic("breakout", "Breakout: mean return of 20 full games, against hw4-2"),
)
