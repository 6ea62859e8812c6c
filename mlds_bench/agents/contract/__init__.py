"""The agent contract, for `mlds-bench check` and for tests."""
