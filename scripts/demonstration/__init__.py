"""The whole product on one machine: simulated plant, Home Assistant, AppDaemon.

`scripts/demo` and the end-to-end tests start it the same way, from here.
"""
