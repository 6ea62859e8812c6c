"""The loss surfaces, a file a family."""
