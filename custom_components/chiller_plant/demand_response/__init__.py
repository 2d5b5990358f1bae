"""Demand response inside Home Assistant: what is kept, decided, told and settled."""
