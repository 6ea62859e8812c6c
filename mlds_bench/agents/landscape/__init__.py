"""Reference agents of the loss landscape room: optimizers, each of them batched."""
