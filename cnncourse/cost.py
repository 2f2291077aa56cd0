"""Costs of a layer or a network."""
