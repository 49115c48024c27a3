#!/bin/sh
# Spark runs this on every executor and reads one JSON object: the GPUs that the container was given.
set -eu
addresses=$(nvidia-smi --query-gpu=index --format=csv,noheader | sed 's/.*/"&"/' | paste -sd, -)
printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"
