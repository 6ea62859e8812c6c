"""Any Stable-Baselines3 algorithm as an agent, at batch speed."""
