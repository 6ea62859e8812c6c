"""PLACEHOLDER benchmarks."""
