"""Agents: the protocol, the reference agents, and the ways to name one of your own."""

if __name__ != "mlds_bench.agents":
    raise ImportError(
        f"this is mlds_bench.agents, imported as {__name__!r}: "
        "write `import mlds_bench.agents`, so that the code is loaded once"
    )
