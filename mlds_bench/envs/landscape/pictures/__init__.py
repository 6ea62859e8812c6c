"""Pictures of a test of the landscape: `draw` makes the files."""

from mlds_bench.envs.landscape.pictures.figures import draw

__all__ = ["draw"]
