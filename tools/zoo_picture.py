"""The picture of the zoo on the page of `ModelSelection`: ``python -m tools.zoo_picture``."""

from __future__ import annotations

from pathlib import Path

from mlds_bench.common.canvas import save, styled
from mlds_bench.envs.generalization.pictures import zoo_figure

PICTURES = Path(__file__).parents[1] / "docs" / "environments" / "pictures"

if __name__ == "__main__":
    with styled():
        print(save(zoo_figure("fashion_mnist"), PICTURES / "generalization-zoo.png"))
