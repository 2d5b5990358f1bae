"""What the benchmark of demand response is made of."""
