"""What TensorBoard reads in a folder of events, as JSON: numbers by tag and step, and of histograms how many there are in each. Needs tensorboard.

    python events.py FOLDER
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0})
events.Reload()
tags = events.Tags()
numbers = {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in tags["scalars"]}
histograms = {
    tag: [[event.step, event.histogram_value.num, sum(event.histogram_value.bucket)] for event in events.Histograms(tag)]
    for tag in tags["histograms"]
}
print(json.dumps({"numbers": numbers, "histograms": histograms}))
