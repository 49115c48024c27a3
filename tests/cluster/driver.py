"""What the driver in a Connect server says of its executors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cluster.waits import require

if TYPE_CHECKING:
    from tests.cluster.charts import Release
    from tests.cluster.client import Client


def find_busy(client: Client, release: Release) -> set[str]:
    """Addresses of executors whose tasks run; ``NotYetError`` while the driver does not answer."""
    address = f"http://{release.service('connect')}:4040/api/v1/applications"
    application = _ask(client, address)[0]["id"]
    executors = _ask(client, f"{address}/{application}/executors")
    return {each["hostPort"].partition(":")[0] for each in executors if each["activeTasks"] and each["id"] != "driver"}


def _ask(client: Client, address: str) -> list[dict[str, str]]:
    status, text = client.ask(address)
    require(status == 200, f"{address}: {status} {text[:200]}")
    answer: list[dict[str, str]] = json.loads(text)
    return answer
