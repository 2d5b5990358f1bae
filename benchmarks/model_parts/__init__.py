"""The parts of the benchmark of the plant model."""
