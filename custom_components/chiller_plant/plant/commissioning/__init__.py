"""From what is found on a network to a plant file: pure, before anything is created."""
