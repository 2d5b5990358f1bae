"""Custom schedules as an AppDaemon app."""

from .control.custom_schedule import CustomSchedule
from .control_app import ControlApp


class CustomScheduleApp(ControlApp):
    """Runs the custom schedules of a plant."""

    control_type = "custom_schedule"
    build = CustomSchedule
