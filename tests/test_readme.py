"""What the README promises, done word for word."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlds_bench.benchmarks.cli.app import app
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.variants import HOMEWORKS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
AGENT, GYMNASIUM = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_agent_of_ten_lines_learns(tmp_path: Path) -> None:
    """The README's own agent passes `check`, runs, and beats the best constant."""
    (tmp_path / "my_agent.py").write_text(AGENT)
    code = [line for line in AGENT.splitlines() if line.strip()]
    assert len(code) <= 11, "ten lines and an import"
    for command in (
        ["check", "./my_agent.py"],
        ["run", "hw1-1/sinc", "-a", "./my_agent.py", "--preset", "smoke"],
    ):
        done = _mlds_bench(command, tmp_path)
        assert done.returncode == 0, done.stderr
    score = re.search(r"log10_mse (-?[\d.]+)", done.stderr)
    assert score is not None
    assert float(score[1]) < -2.0


def test_the_gymnasium_example_runs(tmp_path: Path) -> None:
    """`gym.make` and `gym.make_vec` as shown, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", GYMNASIUM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_command_and_preset_of_the_readme_exists() -> None:
    """A command that is renamed is renamed here."""
    commands = {
        c.name or (c.callback.__name__ if c.callback else "") for c in app.registered_commands
    }
    shown = set(re.findall(r"^(?:source .*|mlds-bench) ?(\w+)", README, re.MULTILINE))
    assert {name for name in shown if name in commands} >= {
        "run",
        "list",
        "table",
        "compare",
        "check",
    }
    for name in PRESETS:
        assert f"| `{name}` |" in README
    for name in HOMEWORKS:
        assert f"| {name} |" in README


def test_an_installation_shows_its_progress() -> None:
    """PyTorch takes minutes, and pip is not silent meanwhile."""
    lines = re.findall(r"pip install .*", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert lines
    for line in lines:
        assert not {"--quiet", "-q"} & set(line.split())


LINKS = re.findall(r"""(?:\]\(|src=")([\w/.-]+)[)"]""", README)


@pytest.mark.parametrize("path", sorted(set(LINKS)))
def test_links_lead_somewhere(path: str) -> None:
    """Every relative link or picture of the README is a file or a folder."""
    assert (ROOT / path).exists()


def _mlds_bench(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "mlds_bench", *command]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)
