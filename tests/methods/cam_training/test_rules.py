from __future__ import annotations

import subprocess
import sys

import pytest

from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.settings import METHODS


def test_every_method_has_a_rule_and_a_title_of_its_own():
    assert tuple(RULES) == METHODS
    assert len({rule.title for rule in RULES.values()}) == len(METHODS)


@pytest.mark.parametrize("method", METHODS[1:])
def test_every_rule_names_its_paper(method):
    rule = RULES[method]
    assert rule.paper.endswith(str(rule.year))
    assert rule.says.endswith(".")


def test_only_two_rules_ask_again_for_every_channel():
    assert {name: rule.passes(10) for name, rule in RULES.items() if rule.passes(10) > 1} == {
        "scorecam": 11,
        "ablationcam": 11,
    }


def test_lists_of_rules_need_no_torch():
    code = "import sys; from engine.methods.cam_training import CAMS, rules; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_adds_up_is_in_logits():
    adding = {name for name, rule in RULES.items() if rule.adds_up}
    assert adding == {"auto", "cam", "gradcam", "hirescam", "xgradcam"}
    assert {RULES[name].unit for name in adding} == {"logits"}
    assert {name: rule.unit for name, rule in RULES.items() if name not in adding} == {
        "gradcampp": "no unit",
        "layercam": "logits",
        "eigencam": "activations",
        "scorecam": "activations",
        "ablationcam": "logits times activations",
    }
