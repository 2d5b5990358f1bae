"""A plant that behaves, for everybody who has no chillers at hand.

The physics is plain Python: no Home Assistant, no clock, time is an argument.
Around it are the servers that put a plant file on real BACnet/IP and Modbus
TCP ports.
"""
