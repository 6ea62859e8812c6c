"""Loss landscapes: homework 1-2."""
