"""The questions that `benchmarks.bus` asks, one a file, and what they share."""
