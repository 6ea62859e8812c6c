"""``python -m mlds_bench`` is ``mlds-bench``."""

from mlds_bench.benchmarks.cli.app import main

if __name__ == "__main__":
    main()
