"""Environments: one contract (reward plus oracle), written once over a batch.

Importing this package registers nothing and loads no torch; ``import mlds_bench`` registers.
"""

if __name__ != "mlds_bench.envs":
    raise ImportError(
        f"this is mlds_bench.envs, imported as {__name__!r}: "
        "write `import mlds_bench.envs`, so that the code is loaded once"
    )
