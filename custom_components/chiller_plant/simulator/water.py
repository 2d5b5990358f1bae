"""What everybody needs to know of water."""

HEAT_CAPACITY = 4.186
"""kW carried by one l/s for each kelvin."""
