"""How fast reports of changes are taken in, beside the stack alone."""

from contextlib import AsyncExitStack
from pathlib import Path

from tests.ports import udp_port

from .child import child
from .result import Figure, Result, paired, spread


async def measure(folder: Path, *, reports: int = 2000, repeats: int = 9) -> Result:
    """Have both take in as many reports, by turns."""
    speeds: dict[str, list[float]] = {"ours": [], "bare": []}
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(
                child(f"reports_{name}", folder, port=udp_port())
            )
            for name in speeds
        }
        for client in clients.values():
            await client.ask("take", reports=reports)
        for _ in range(repeats):
            for name, client in clients.items():
                seconds = await client.ask("take", reports=reports)
                speeds[name].append(reports / seconds)
    ours, bare = speeds["ours"], speeds["bare"]
    return Result(
        [
            Figure(
                "reports.ratio_to_bacpypes3",
                paired(ours, bare),
                "",
                10.0,
                "higher",
                f"ours {spread(ours, 0)} reports/s, bare bacpypes3 {spread(bare, 0)}",
            )
        ],
        {"reports at a time": reports},
    )
