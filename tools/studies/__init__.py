"""Studies too long for tests: each repeats a table or a picture, and writes what it found."""
