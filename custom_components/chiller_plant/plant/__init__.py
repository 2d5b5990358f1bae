"""The plant itself: equipment, points, commands, interlocks, profiles.

Nothing in this room knows of Home Assistant, of a protocol or of a clock.
"""
