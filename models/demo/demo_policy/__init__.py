"""The demo's policy: a small network with the contract of a SmolVLA bundle, trained on demonstrations from the simulated cell."""
