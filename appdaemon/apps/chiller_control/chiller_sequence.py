"""Chiller sequence as an AppDaemon app."""

from .control.chiller_sequence import ChillerSequence
from .control_app import ControlApp


class ChillerSequenceApp(ControlApp):
    """Runs the chiller sequence automations of a plant."""

    control_type = "chiller_sequence"
    build = ChillerSequence
