"""Writes the lists of documented settings anew from the images; needs an engine that has them."""

from __future__ import annotations

import subprocess
import sys

from tests.charts.documented_keys import FOLDER, GROUPS, IMAGES, write_lists

JAVA = "java --add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.nio=ALL-UNNAMED"
PROGRAM = f"cat > /tmp/Keys.java && cd /tmp && {JAVA} --add-opens java.base/sun.nio.ch=ALL-UNNAMED"
ALONE = ("--network", "none", "--env", "SPARK_LOCAL_HOSTNAME=localhost", "--env", "SPARK_LOCAL_IP=127.0.0.1")


def main() -> int:
    """Ask each image, and write the files of its line."""
    source = (FOLDER / "Keys.java").read_text(encoding="utf-8")
    for line, image in IMAGES.items():
        command = f"{PROGRAM} -cp '/opt/spark/jars/*' Keys.java {' '.join(GROUPS[line])}"
        argv = ["docker", "run", "--interactive", "--rm", *ALONE, "--entrypoint", "sh", image, "-c", command]
        answer = subprocess.run(argv, input=source, stdout=subprocess.PIPE, text=True, check=True, timeout=900).stdout
        for name, text in write_lists(line, answer).items():
            (FOLDER / name).parent.mkdir(exist_ok=True)
            (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
