"""The reference agents that play in every room."""
