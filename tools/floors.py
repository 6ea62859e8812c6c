"""The lowest versions that pyproject.toml allows, as a constraints file for pip.

`make floors` installs them in an environment of their own and tests with them. A floor that pip
cannot resolve with the others, or with which these tests fail, is raised. Warnings are no errors
there: old releases warn about newer ones of what they need themselves.
"""

from __future__ import annotations

import re
import sys
import tomllib

from tests.processes import ROOT

FLOOR = re.compile(r"(?P<name>[\w-]+)>=(?P<version>[\w.]+)$")


def floors(extras: tuple[str, ...] = ()) -> dict[str, str]:
    """Package to its lowest version, of the core and of the named extras.

    Raises:
        ValueError: a dependency has no floor, or more than that.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    found = {}
    for line in lines:
        match = FLOOR.match(line)
        if match is None:
            raise ValueError(f"dependency {line!r} must be of the form name>=version")
        found[match["name"]] = match["version"]
    return found


def main(extras: list[str]) -> None:
    """Print one line per package; extras are named on the command line."""
    for name, version in floors(tuple(extras)).items():
        print(f"{name}=={version}")


if __name__ == "__main__":
    main(sys.argv[1:])
