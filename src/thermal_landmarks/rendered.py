"""The renderer's settings as Hydra sees them: config groups whose numbers stand in `thermal_faces.ranges` alone.

`conf/data/synthetic_wild.yaml` takes them in by `/rendered/faces@source`, `conf/render_sequence.yaml` the others, so
every range can be changed on the command line and misspelt ones are refused.
"""

import functools
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hydra.core.config_store import ConfigStore

from thermal_faces.ranges import GROUPS
from thermal_faces.ranges.sequence import SEQUENCE_POSE, MotionRanges, PhysiologyRanges


@functools.cache
def store_ranges() -> None:
    """Makes the groups known to Hydra; a second call does nothing."""
    store = ConfigStore.instance()
    groups = {
        "faces": {name: asdict(kind()) for name, kind in GROUPS.items()},
        "sequence_pose": asdict(SEQUENCE_POSE),
        "motion": asdict(MotionRanges()),
        "physiology": asdict(PhysiologyRanges()),
    }
    for name, ranges in groups.items():
        store.store(group="rendered", name=name, node=_as_yaml(ranges), provider="thermal_faces", replace=True)


def _as_yaml(value: Any) -> Any:
    """Lists for pairs, as YAML has them."""
    if isinstance(value, Mapping):
        return {name: _as_yaml(item) for name, item in value.items()}
    return list(value) if isinstance(value, tuple) else value
