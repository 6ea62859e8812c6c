"""Losses, gradients and optimizers as functions of tensors; they know no environment."""
