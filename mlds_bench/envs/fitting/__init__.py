"""Function fitting: homework 1-1, part 1."""
