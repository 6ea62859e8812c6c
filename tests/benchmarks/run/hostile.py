"""Agents that do what agents should not: their files, and what is to become of them."""

from __future__ import annotations

from dataclasses import dataclass

SECRET = "a secret of the hosts"
PREAMBLE = "import gc, os, signal, subprocess, sys, time\nimport numpy as np\n"
SPEAK = """
from multiprocessing.connection import Connection
def say(*messages):
    for pipe in [x for x in gc.get_objects() if isinstance(x, Connection) and not x.closed]:
        for message in messages:
            pipe.send_bytes(message)
"""


ANSWERS_TWICE = """
from multiprocessing.connection import Connection
FRAME = len(b'{"kind": "reset done"}').to_bytes(4, "big") + b'{"kind": "reset done"}'
def twice():
    for pipe in [x for x in gc.get_objects() if isinstance(x, Connection) and not x.closed]:
        os.write(pipe.fileno(), FRAME + FRAME)
"""


@dataclass(frozen=True)
class Agent:
    """An agent's file, what becomes of it, and a pattern of the reason."""

    state: str
    reason: str
    learn: str = "pass"
    act: str = "return obs * 0"
    top: str = ""
    inside: str = ""

    @property
    def source(self) -> str:
        return (
            f"{PREAMBLE}{self.top}\nclass A:\n    {self.inside or 'num_envs = 64'}\n"
            f"    def learn(self, env, budget): {indented(self.learn)}\n"
            f"    def act(self, obs): {indented(self.act)}\n"
        )


def indented(code: str) -> str:
    return code if "\n" not in code else code.replace("\n", "\n        ")


SLEEPER = "subprocess.Popen(['sleep', '1000'], start_new_session={})"
FOREVER = """
env.reset()
while True:
    try: time.sleep(0.02); env.step(np.zeros((64, 1)))
    except{}: pass"""
"""It sleeps within the try: an interrupt between two of them would end it."""
RECURRENT = """
    num_envs = 64
    memory = None
    def reset(self, done):
        if done.all(): self.memory = 0"""
EASY = "EASY = {'target': 'polynomial', 'coefficients': [0.0]}\n"
"""A function that a constant fits without an error."""
EASY_REFUSED = (
    "^env_options sets coefficients, target, but in mlds/FunctionFitting-v0 an agent has no choice "
    "of view$"
)
OWN_PLAYER = f"""{EASY}
from dataclasses import replace
from mlds_bench.agents import adapter
from mlds_bench.benchmarks.run import agent_process
honest = adapter.build_player
def build_player(cls, playground, env_kwargs, **rest):
    player = honest(cls, playground, env_kwargs, **rest)
    return replace(player, env_options=EASY, env_kwargs={{**env_kwargs, **EASY}})
adapter.build_player = agent_process.build_player = build_player
"""
LEARNED = """b\'{{"kind": "learned", "env_steps": {}, "stopped_by": "agent"}}\'"""
POINT = (
    """b\'{{"kind": "point", "point": {{"env_steps": {}, "seconds": 1e-9, "reward": 0.0, """
    """"episode_return": null, "episodes": 0, "score": {}}}}}\'"""
)
AGENTS: dict[str, Agent] = {
    "good": Agent("ok", "", learn="env.reset(); env.step(np.zeros((64, 1)))"),
    "raises": Agent(
        "failed",
        r"KeyError: .*oops.*second.* \(raises\.py:6\), while learning",
        learn="raise KeyError('oops\\nsecond line')",
    ),
    "raises_long": Agent(
        "failed", "RuntimeError: xxx", learn="raise RuntimeError('x' * 30_000_000)"
    ),
    "raises_surrogate": Agent("failed", "OSError: .*name", learn="raise OSError('\\udcff name')"),
    "raises_in_act": Agent(
        "failed", "ZeroDivisionError.*while acting", act="return obs / (1 // 0)"
    ),
    "asks_the_user": Agent("failed", "EOFError: .*while learning", learn="input()"),
    "computes": Agent("ok", "", learn="\nwhile True: pass"),
    "sleeps": Agent("ok", "", learn="env.reset(); time.sleep(1000)"),
    "hangs_in_act": Agent("timeout", "acting took longer than 3 s", act="time.sleep(1000)"),
    "exits_in_import": Agent("failed", "SystemExit", top="sys.exit('no import')"),
    "nan": Agent("failed", "InvalidAction: .*nan", act="return obs * np.nan"),
    "far": Agent("failed", r"InvalidAction: .*2", act="return obs * 0 + 2.5"),
    "disarms": Agent(
        "failed",
        r"InvalidAction: action\[0, 0\] is nan, .*, while acting",
        top="from mlds_bench.benchmarks.run import agent_process",
        act="agent_process.cast_actions = lambda *_, **__: obs * np.nan; return obs",
    ),
    "shape": Agent("failed", r"InvalidAction: .*\(1024, 1\)", act="return obs[:3, 0]"),
    "strings": Agent("failed", "InvalidAction: ", act="return np.full((len(obs), 1), 'one')"),
    "nothing": Agent("failed", "InvalidAction: ", act="return None"),
    "ragged": Agent("failed", "InvalidAction: ", act="return [[0.0], []] * (len(obs) // 2)"),
    "wrong_in_learn": Agent(
        "failed", "InvalidAction: .*while learning", learn="env.reset(); env.step(np.ones((3, 1)))"
    ),
    "hog": Agent(
        "out-of-memory", "MemoryError: Unable to allocate 100", learn="np.ones(100 * 2**30 // 8)"
    ),
    "slow_hog": Agent("out-of-memory", ".", learn="\nx = []\nwhile True: x.append(np.ones(2**22))"),
    "shared_hog": Agent(
        "out-of-memory",
        "the agent took .* MiB of 1024 MiB",
        learn="\nimport mmap\nm = mmap.mmap(-1, 2**32)\nfor i in range(0, 2**32, 4096): m[i] = 1",
    ),
    "exits": Agent("failed", "ended with exit code 0 while learning", learn="os._exit(0)"),
    "exits_politely": Agent("failed", "SystemExit: 0.*while learning", learn="sys.exit(0)"),
    "exits_in_act": Agent("failed", "ended with exit code 7 while acting", act="os._exit(7)"),
    "interrupts": Agent("failed", "KeyboardInterrupt", learn="raise KeyboardInterrupt"),
    "segfault": Agent("failed", "killed by SIGSEGV", learn="os.kill(os.getpid(), signal.SIGSEGV)"),
    "child": Agent("ok", "", learn=SLEEPER.format(False)),
    "child_apart": Agent("ok", "", learn=SLEEPER.format(True)),
    "orphan": Agent(
        "failed",
        "killed by SIGKILL",
        learn=f"{SLEEPER.format(False)}; time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)",
    ),
    "orphan_apart": Agent(
        "failed",
        "killed by SIGKILL",
        learn=f"{SLEEPER.format(True)}; time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)",
    ),
    "swallows": Agent("timeout", "learning took longer than 10 s", learn=FOREVER.format("")),
    "swallows_alarms": Agent(
        "timeout",
        "learning took longer than 10 s",
        learn="\nwhile True:\n    try: time.sleep(1000)\n    except BaseException: pass",
    ),
    "swallows_exceptions": Agent("ok", "", learn=FOREVER.format(" Exception")),
    "only_resets": Agent("ok", "", learn="\nwhile True: env.reset()"),
    "peeks": Agent(
        "failed",
        "env_options sets split, but .* an agent",
        inside="env_options = {'split': 'test'}",
    ),
    "asks_for_test": Agent(
        "failed",
        "ValueError: unknown reset option 'split'.*, while learning",
        learn="env.reset(options={'split': 'test'})",
    ),
    "imports_nothing": Agent(
        "failed", "ModuleNotFoundError: .*nosuchmodule", top="import nosuchmodule"
    ),
    "wants_seal": Agent(
        "ok",
        "",
        learn="assert 'MLDS_BENCH_SEAL' not in os.environ; "
        f"assert {SECRET!r} not in open('/proc/self/environ').read()",
    ),
    "noisy": Agent("ok", "", learn="\nfor _ in range(20_000): print('noise ' * 20)"),
    "crowd": Agent("failed", "num_envs must be a whole number", inside="num_envs = 0"),
    "unsupported": Agent(
        "skipped",
        "^not my room",
        top="from mlds_bench.agents.base import Unsupported",
        inside="\n    def __init__(self): raise Unsupported('not my room')",
    ),
    "unsupported_in_learn": Agent(
        "failed",
        "^I had a look, while learning$",
        top="from mlds_bench.agents.base import Unsupported",
        learn="env.reset(); raise Unsupported('I had a look')",
    ),
    "unsupported_in_act": Agent(
        "failed",
        "^a bad seed, while acting$",
        top="from mlds_bench.agents.base import Unsupported",
        act="raise Unsupported('a bad seed')",
    ),
    "echoes": Agent(
        "ok",
        "",
        learn="\n_, info = env.reset()\nwhile True: info = env.step(info['oracle'])[4]",
    ),
    "recurrent": Agent(
        "ok",
        "",
        inside=RECURRENT,
        act="\nif self.memory is None: raise RuntimeError('not told to begin')\nreturn obs * 0",
    ),
    "builds_itself": Agent("failed", EASY_REFUSED, top=OWN_PLAYER),
    "chooses_freely": Agent(
        "failed",
        EASY_REFUSED,
        top=f"{EASY}from mlds_bench.envs.registry import Environment\n"
        "Environment.chosen = lambda self, kwargs, options: {**kwargs, **options}",
        inside="env_options = EASY",
    ),
    "forges_choice": Agent(
        "failed",
        EASY_REFUSED,
        top=f"{SPEAK}{EASY}import json\n"
        "say(json.dumps({'kind': 'ready', 'env_options': EASY, 'params': {}}).encode())",
        act="time.sleep(1000)",
    ),
    "ready_again": Agent(
        "failed",
        "an unexpected message from the agent while learning",
        top=SPEAK,
        learn='say(b\'{"kind": "ready", "env_options": {}, "params": {}}\')',
    ),
    "claims_more": Agent(
        "failed",
        "^the agent's process claims 2,000,000 steps after 0 of a budget of 4,096$",
        top=SPEAK,
        learn=f"say({LEARNED.format(2_000_000)})",
    ),
    "claims_more_on_the_way": Agent(
        "failed",
        "^the agent's process claims 2,000,000 steps after 0 of a budget of 4,096$",
        top=SPEAK,
        learn=f"say({POINT.format(2_000_000, 0.5)})",
    ),
    "claims_fewer": Agent(
        "failed",
        "^the agent's process claims 64 steps after 128 of a budget of 4,096$",
        top=SPEAK,
        learn=f"\nenv.reset()\nfor i in range(2): env.step(np.zeros((64, 1)))\n"
        f"say({LEARNED.format(64)})",
    ),
    "goes_back": Agent(
        "failed",
        "^the agent's process claims 64 steps after 64 of a budget of 4,096$",
        top=SPEAK,
        learn=f"say({POINT.format(64, 0.5)}, {POINT.format(64, 0.5)})",
    ),
    "stops_the_clock": Agent(
        "ok",
        "",
        top="time.perf_counter = lambda: 0.0",
        learn="env.reset(); time.sleep(0.5); env.step(np.zeros((64, 1)))",
    ),
    "reports_nan": Agent(
        "failed",
        "^ValueError: a reported score must be a finite number .*, got nan .*, while learning$",
        learn="budget.report(float('nan'))",
    ),
    "forges_nan": Agent(
        "failed",
        "^an unexpected message from the agent while learning$",
        top=SPEAK,
        learn=f"say({POINT.format(64, 'NaN')})",
    ),
    "answers_unasked": Agent(
        "failed",
        "^the agent answered before it was asked, while acting$",
        top=ANSWERS_TWICE,
        inside="num_envs = 64\n    def reset(self, done): twice(); time.sleep(1000)",
    ),
    "half_a_message": Agent(
        "timeout",
        "^acting took longer than 3 s$",
        top=SPEAK.replace("pipe.send_bytes(message)", "os.write(pipe.fileno(), message)"),
        act="say(b'\\0\\0\\0\\x64half'); time.sleep(1000)",
    ),
    "too_long_a_message": Agent(
        "failed",
        "^the agent sent a message of 2000000000 bytes while acting$",
        top=SPEAK.replace("pipe.send_bytes(message)", "os.write(pipe.fileno(), message)"),
        act="say((2_000_000_000).to_bytes(4, 'big')); time.sleep(1000)",
    ),
    "claims_the_sky": Agent(
        "failed",
        "^an unexpected message from the agent while learning$",
        top=SPEAK,
        learn=f"say({POINT.format('1' + '0' * 400, 0.5)})",
    ),
    "forges_a_long_reason": Agent(
        "failed",
        "^an unexpected message from the agent while learning$",
        top=SPEAK,
        learn='say(b\'{"kind": "error", "state": "failed", "reason": "\' + b"x" * 9999 + b\'"}\')',
    ),
    "garbage": Agent("failed", "message", top=SPEAK, learn="say(b'\\xff\\x00 garbage')"),
    "garbage_list": Agent("failed", "message", top=SPEAK, learn="say(b'[1, 2]')"),
    "garbage_deep": Agent("failed", ".", top=SPEAK, learn="say(b'[' * 100_000)"),
    "garbage_kind": Agent("failed", "message", top=SPEAK, learn='say(b\'{"kind": "prize"}\')'),
    "garbage_point": Agent(
        "failed", ".", top=SPEAK, learn='say(b\'{"kind": "point", "point": {}}\')'
    ),
    "lies": Agent(
        "failed",
        ".",
        top=SPEAK,
        learn='say(b\'{"kind": "error", "state": "ok", "reason": "fine"}\')',
    ),
    "learns_nothing": Agent("failed", ".", top=SPEAK, learn='say(b\'{"kind": "learned"}\')'),
    "hangs_up": Agent(
        "failed",
        "while learning",
        top=SPEAK,
        learn="\n[x.close() for x in gc.get_objects() if isinstance(x, Connection)]"
        "\ntime.sleep(1000)",
    ),
    "good_too": Agent("ok", "", learn="env.reset(); env.step(np.zeros((64, 1)))"),
}
