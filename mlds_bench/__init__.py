"""mlds-bench: the eleven homeworks of a deep-learning course as Gymnasium environments.

``import mlds_bench`` registers the ids ``mlds/<Name>-v0``, so that ``gymnasium.make`` and
``gymnasium.make_vec`` know them; ``gymnasium.make("mlds_bench:mlds/FunctionFitting-v0")`` imports
and registers in one go.
"""

from importlib.metadata import version

from mlds_bench.common.interrupts import end_quietly_when_interrupted, is_started_as

if is_started_as("mlds-bench", "mlds_bench"):  # while the rest is loading
    end_quietly_when_interrupted("mlds-bench")

from mlds_bench.envs.registry import register

__version__ = version("mlds-bench")
__all__ = ["__version__"]

register()
