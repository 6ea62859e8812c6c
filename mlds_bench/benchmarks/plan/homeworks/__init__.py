"""The variants of each homework: data only, one file a homework."""
