"""The zoo: trained networks whose settings, probes and accuracies stand in a table.

``python -m mlds_bench.envs.generalization.zoo`` trains it; the table it makes is shipped.
"""
