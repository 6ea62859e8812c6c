"""Shim."""

from mlds_bench.envs.recording import Recording as Recorder

__all__ = ["Recorder"]
