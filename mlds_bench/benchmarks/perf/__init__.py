"""Speed claims, as ratios against a named alternative in the same run on the same machine.

Each script writes its figures beside itself as JSON: ``python -m mlds_bench.benchmarks.perf.NAME``.
"""
