"""Tests of the agents of the Atari room."""
