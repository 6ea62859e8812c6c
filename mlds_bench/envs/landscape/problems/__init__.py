"""The loss surfaces, one file per family."""
