"""The table in a database that several plants open at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from custom_components.chiller_plant.demand_response import performance_table

PLANTS = 4


@pytest.mark.parametrize("attempt", range(10))
def test_plants_that_begin_together_make_one_table(
    tmp_path: Path, attempt: int
) -> None:
    url = f"sqlite:///{tmp_path / f'{attempt}.db'}"
    engine = create_engine(url, poolclass=NullPool)
    together = Barrier(PLANTS)

    def begin(plant: int) -> int:
        together.wait(30)
        return len(performance_table.read(engine, f"plant {plant}"))

    with ThreadPoolExecutor(PLANTS) as plants:
        assert list(plants.map(begin, range(PLANTS))) == [0] * PLANTS
    assert sorted(inspect(engine).get_table_names()) == [
        "chiller_plant_performance",
        "chiller_plant_schema",
    ]
    engine.dispose()
