"""Data sets that users have or fetch: `catalogue` names them, `store` finds and fetches them.

`mnist`, `cifar` and `dopamine` read them; what is made of them is cached on disk and memory-mapped.
"""
