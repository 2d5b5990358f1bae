"""Getting paid for shedding load without anyone noticing."""
