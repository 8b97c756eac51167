"""Reads the event files of a run back with the package of TensorBoard, and holds them against the run's own files.

    python tests/python/check_tensorboard.py RUN
"""

import csv
import json
import math
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = Path(sys.argv[1])
events = EventAccumulator(str(run / "tensorboard"), size_guidance={"histograms": 0, "images": 0, "scalars": 0})
events.Reload()
tags = events.Tags()
rows = list(csv.DictReader((run / "history.csv").open()))
columns = [name for name in rows[0] if name != "epoch" and any(row[name] for row in rows)]
assert sorted(tags["scalars"]) == sorted(columns), (tags["scalars"], columns)
for name in columns:
    found = events.Scalars(name)
    assert [event.step for event in found] == [int(row["epoch"]) for row in rows], name
    for event, row in zip(found, rows):
        expected = float(row[name])
        # An f32 holds 24 bits; the seconds of history.csv are rounded to six decimals.
        slack = abs(expected) * 2**-24 + (1e-6 if name.endswith("seconds") else 0)
        assert math.isclose(event.value, expected, rel_tol=0, abs_tol=slack), (name, event, expected)

bytes_of = (run / "model.safetensors").read_bytes()
(length,) = struct.unpack("<Q", bytes_of[:8])
header = json.loads(bytes_of[8 : 8 + length])
tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
assert sorted(tags["histograms"]) == sorted(tensors), tags["histograms"]
for name, entry in tensors.items():
    start, end = entry["data_offsets"]
    values = struct.unpack(f"<{(end - start) // 4}f", bytes_of[8 + length + start : 8 + length + end])
    each = events.Histograms(name)
    assert [event.step for event in each] == list(range(1, len(rows) + 1)), (name, [event.step for event in each])
    last = each[-1].histogram_value
    assert sum(last.bucket) == len(values), name
    # The first edge that is given is the right one of the first bar.
    assert math.isclose(last.bucket_limit[-1], max(values), rel_tol=1e-12, abs_tol=1e-300), name

for name in tags["images"]:
    [image] = events.Images(name)
    assert image.encoded_image_string == (run / name).read_bytes(), name
    width, height = struct.unpack(">II", image.encoded_image_string[16:24])
    assert (image.width, image.height) == (width, height), name
assert tags["images"], "no picture"
print(f"{len(columns)} figures, {len(tensors)} tensors, {len(tags['images'])} pictures of {len(rows)} epochs agree")
