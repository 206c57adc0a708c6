from engine.methods.input_selection.settings import STRATEGIES
from engine.methods.input_selection.titles import STRATEGY_TITLES, arm_title


def test_every_strategy_has_one_title_and_an_arm_its_layer():
    assert set(STRATEGY_TITLES) == set(STRATEGIES)
    assert len(set(STRATEGY_TITLES.values())) == len(STRATEGIES)
    assert arm_title("mode_dhwi@auto") == "highest loss and DHWI together, at the chosen layer"
    assert arm_title("mode@features.3") == "MODE by a heat map, at features.3"
    assert arm_title("mode, dot") == "mode, dot"  # an arm that a benchmark named itself
