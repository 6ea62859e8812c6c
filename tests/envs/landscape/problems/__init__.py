"""Tests of the loss surfaces."""
