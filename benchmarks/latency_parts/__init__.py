"""How long it takes from a changed reading on the wire to the command on the wire."""
