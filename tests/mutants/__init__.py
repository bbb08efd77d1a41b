"""Planted faults: each must turn the tests red, for a reason that has to do with it (`make mutants`)."""
