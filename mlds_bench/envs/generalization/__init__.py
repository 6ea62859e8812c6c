"""Generalization: homework 1-3, which of the networks that fit do well on other data."""
