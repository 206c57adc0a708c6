from dataclasses import replace

import pytest

from engine.methods.input_selection.settings import (
    RECOMMENDED,
    STRATEGIES,
    SelectionSettings,
    TapSettings,
    VerdictSettings,
    arm_settings,
    reads_layers,
)

USUAL = SelectionSettings(
    targets=(1,), budget=50, scored=0.5, map="hci", mode="feature", layer="fc1", metric="wasserstein",
    wasserstein="exact", power=4.0, end="worst", diverse=True, filtered=False, excluded=("a",),
    rule=VerdictSettings(recall=0.7), seed=5,
)  # fmt: skip


def test_an_arm_is_a_strategy_with_or_without_a_layer():
    assert arm_settings(USUAL, "mode_dhwi").layer == ""
    assert arm_settings(USUAL, "mode_dhwi@auto").layer == "auto"
    assert arm_settings(USUAL, "mode@block.2").layer == "block.2"
    assert [arm_settings(USUAL, arm).strategy for arm in RECOMMENDED] == [arm.partition("@")[0] for arm in RECOMMENDED]
    for arm in ("random@auto", "mode_published@auto", "mode_dhwi@"):
        with pytest.raises(ValueError, match="only strategies that look at a layer"):
            arm_settings(USUAL, arm)
    with pytest.raises(ValueError, match="only strategies that look at a layer"):
        arm_settings(replace(USUAL, mode="pixel"), "mode@auto")
    with pytest.raises(ValueError, match="there is no strategy 'best'; there are random"):
        arm_settings(USUAL, "best")


@pytest.mark.parametrize(
    ("changed", "arms"),
    [
        ({"map": "dhci"}, {"mode"}),
        ({"end": "best"}, {"mode"}),
        ({"metric": "dot"}, {"mode"}),
        ({"wasserstein": "marginal"}, {"mode"}),
        ({"power": 2.0}, set()),  # no Minkowski
        ({"layer": "fc2"}, set()),  # an arm names its own
        ({"scored": 0.3}, set(STRATEGIES) - {"random", "pool_gini"}),
        ({"rule": VerdictSettings(recall=0.6)}, {"mode_published"}),
        ({"rule": VerdictSettings(recall=0.6), "targets": ()}, set(STRATEGIES)),
        ({"budget": 40}, set(STRATEGIES)),
        ({"excluded": ()}, set(STRATEGIES)),
        ({"seed": 6}, set(STRATEGIES)),
    ],
)
def test_a_setting_changes_the_question_of_the_arms_that_read_it_alone(changed, arms):
    other = replace(USUAL, **changed)
    assert {arm for arm in STRATEGIES if arm_settings(USUAL, arm) != arm_settings(other, arm)} == arms


def test_the_power_counts_for_minkowski_and_the_rule_for_the_layer_that_explains():
    minkowski = replace(USUAL, metric="minkowski")
    assert arm_settings(minkowski, "mode").power == 4
    assert arm_settings(minkowski, "mode").wasserstein == "sliced"
    assert arm_settings(USUAL, "mode_dhwi@auto").rule == USUAL.rule
    assert arm_settings(USUAL, "mode_dhwi").rule == VerdictSettings()


def test_what_reads_layers():
    read = [name for name in STRATEGIES if reads_layers(SelectionSettings(name))]
    assert read == ["mode", "mode_dhwi"]
    assert not reads_layers(SelectionSettings("mode", mode="pixel"))


def test_the_pool_has_a_limit_of_its_own():
    settings = TapSettings(images=20, pool=30)
    assert [settings.most(role) for role in ("train", "diagnosis", "pool")] == [20, 20, 30]
    with pytest.raises(ValueError, match="pool must be at least 10"):
        TapSettings(pool=3)
