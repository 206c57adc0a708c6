"""Does it look at the right place, and can it be taught to? Imports no torch until a step runs.

After LINT (github.com/jinensetpal/lint): a class activation map as a training loss. Looking is the step `cams`, and
from its maps `hiding` and `groups`; teaching is the step `teaching`, once for each arm and seed of a comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.methods.cam_training.result import Cams, Groups, Hiding, Taught
from engine.methods.cam_training.settings import CamSettings, GroupSettings, HidingSettings, TeachingSettings
from engine.runs.progress import Progress
from engine.runs.run import Step
from engine.subject.subject import Subject


def _cams(subject: Subject, settings: CamSettings, inputs: Mapping[str, Any], progress: Progress) -> Cams:
    from engine.methods.cam_training.cams import cams

    return cams(subject, settings, inputs.get("selection"), progress)


def _hiding(subject: Subject, settings: HidingSettings, inputs: Mapping[str, Any], progress: Progress) -> Hiding:
    from engine.methods.cam_training.hiding import hiding

    return hiding(subject, settings, inputs["cams"], progress)


def _groups(subject: Subject, settings: GroupSettings, inputs: Mapping[str, Any], progress: Progress) -> Groups:
    from engine.methods.cam_training.groups import groups

    del subject
    return groups(inputs["cams"], settings, progress)


def _teaching(subject: Subject, settings: TeachingSettings, inputs: Mapping[str, Any], progress: Progress) -> Taught:
    from engine.methods.cam_training.teaching import teach

    return teach(subject, settings, inputs, progress)


CAMS = Step("cams", 2, "Class activation maps", CamSettings, Cams, _cams)
HIDING = Step("cam_hiding", 1, "Hiding what it looks at", HidingSettings, Hiding, _hiding)
GROUPS = Step("cam_groups", 2, "Groups of maps", GroupSettings, Groups, _groups)
TEACHING = Step("cam_teaching", 2, "Training", TeachingSettings, Taught, _teaching)
