"""The agents of the classification room."""
