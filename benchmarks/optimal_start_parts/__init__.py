"""The parts of the benchmark of optimal start."""
