"""What can be measured of a loss or a network: pure functions, shared by rooms and agents."""
