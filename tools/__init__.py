"""Tools of the repository: they rewrite pages and weights from records, and check the wheel."""
