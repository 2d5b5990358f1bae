"""What the energy benchmark is made of. None of it needs Home Assistant.

The integration's own package imports Home Assistant. Its rooms `plant` and
`simulator` do not, so the package is only named here, unless it is there
already: a year in the plant must cost what the plant costs.
"""

import importlib.util
from pathlib import Path
import sys
from types import ModuleType

REPOSITORY = Path(__file__).parents[2]
_PACKAGE = "custom_components.chiller_plant"

if _PACKAGE not in sys.modules:
    _bare = ModuleType(_PACKAGE)
    _bare.__path__ = [str(REPOSITORY / "custom_components" / "chiller_plant")]
    _bare.__spec__ = importlib.util.spec_from_loader(
        _PACKAGE, loader=None, is_package=True
    )
    sys.modules[_PACKAGE] = _bare
