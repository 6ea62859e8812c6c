"""Ground floor: what every part of the package may import; it imports none of them."""
