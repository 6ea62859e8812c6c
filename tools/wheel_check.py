"""The last gate: what is built is installed apart from the repository, and runs there.

The wheel goes into a fresh environment in a folder of its own. Its dependencies are those of the
environment that runs this, seen through a path file; the project's own editable install is not
seen that way, because a path file read through another is not followed.

    python -m tools.wheel_check
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

from tests.processes import ROOT

COMMAND = ("run", "hw1-1", "hw1-3/model-selection", "--preset", "smoke")


def build_wheel(folder: Path) -> Path:
    """Builds the repository's wheel into a folder, with the build tools that are installed."""
    options = ["--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", "build", *options], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> tuple[Path, Path]:
    """Installs a wheel into a fresh environment; returns its scripts folder and its packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    scripts, packages = (
        Path(sysconfig.get_path(name, "venv", {"base": str(folder), "platbase": str(folder)}))
        for name in ("scripts", "purelib")
    )
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ["--python", str(scripts / "python"), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, "-m", "pip", *options, str(wheel)], check=True)
    return scripts, packages


def run(scripts: Path, packages: Path, folder: Path) -> int:
    """Runs the benchmark in an empty folder and returns how many records ended well.

    Those whose data are not here are skipped.

    Raises:
        AssertionError: other code than the wheel's was imported, or a cell did not end well.
        subprocess.CalledProcessError: the command failed.
    """
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    where = subprocess.run(
        [scripts / "python", "-c", "import mlds_bench; print(mlds_bench.__file__)"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert Path(where).is_relative_to(packages), f"{where} is not the wheel's code"
    subprocess.run([scripts / "mlds-bench", *COMMAND], cwd=folder, env=environment, check=True)
    records = [json.loads(path.read_text()) for path in folder.glob("runs/**/seed-*.json")]
    states = [record["state"] for record in records]
    assert "ok" in states, "no record ended well"
    assert set(states) <= {"ok", "skipped"}, f"{len(records)} records ended {set(states)}"
    return states.count("ok")


def main() -> None:
    """Builds, installs and runs in a temporary folder, which is removed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        wheel = build_wheel(folder / "dist")
        scripts, packages = install(wheel, folder / "venv")
        empty = folder / "empty"
        empty.mkdir()
        count = run(scripts, packages, empty)
        print(f"{wheel.name} installed apart: `mlds-bench {' '.join(COMMAND)}`, {count} records ok")


if __name__ == "__main__":
    main()
