"""Chiller plant schedule as an AppDaemon app."""

from .control.chiller_plant_schedule import ChillerPlantSchedule
from .control_app import ControlApp


class ChillerPlantScheduleApp(ControlApp):
    """Runs the Chiller plant schedule automations of a plant."""

    control_type = "chiller_plant_schedule"
    build = ChillerPlantSchedule
