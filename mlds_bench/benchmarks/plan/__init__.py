"""Planning: presets, variants, homeworks, and from names to cells."""
