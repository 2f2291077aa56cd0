"""The operations the course derives, in plain NumPy, each with its backward pass."""
