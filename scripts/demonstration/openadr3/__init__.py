"""A utility's server (VTN) of OpenADR 3, held against the published description.

It is written for the demonstration and the tests, and runs in the control engine's
environment (Python 3.11).
"""
