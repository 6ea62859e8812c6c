"""Homeworks 1-1 and 1-3: given an image, say a class."""
