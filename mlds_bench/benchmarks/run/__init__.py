"""Running: cells in processes of their own, and engines to run them on."""
