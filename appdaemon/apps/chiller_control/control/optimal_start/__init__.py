"""Optimal start and stop: how long before opening to start, before closing to stop.

Several models of one building learn side by side from what was measured; the one
that has been right lately is believed (`selector.py`), and how wrong it has been
says how much earlier to start.
"""
