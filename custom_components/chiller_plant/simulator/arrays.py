"""What the simulator's numbers are: arrays over scenarios and machines.

Scenarios are independent copies of a plant that move together; the served
plant is one. Quantities of machines have the shape (scenarios, machines),
quantities of the whole plant (scenarios,).
"""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Flags = NDArray[np.bool_]
