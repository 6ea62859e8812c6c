"""The harness: variants, presets, cells, engines and the command line."""

if __name__ != "mlds_bench.benchmarks":
    raise ImportError(
        f"this is mlds_bench.benchmarks, imported as {__name__!r}: "
        "write `import mlds_bench.benchmarks`, so that the code is loaded once"
    )
