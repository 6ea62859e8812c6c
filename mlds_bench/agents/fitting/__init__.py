"""Reference agents of the function fitting room."""
