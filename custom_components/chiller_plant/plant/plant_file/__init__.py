"""Reads a plant file, and tells everything that is wrong with it at once."""

from .problems import PlantFileError, PlantFileProblem
from .reader import load_plant, parse_plant

__all__ = ["PlantFileError", "PlantFileProblem", "load_plant", "parse_plant"]
