import pytest

from engine.toolkit.wording import capital, plural, points


@pytest.mark.parametrize(("words", "said"), [("a few GPUs", "A few GPUs"), ("x", "X"), ("", ""), ("3 is", "3 is")])
def test_a_sentence_begins_with_a_capital_and_the_rest_stays(words, said):
    assert capital(words) == said


@pytest.mark.parametrize(("count", "said"), [(0, "0 seeds"), (1, "1 seed"), (2, "2 seeds"), (1234, "1,234 seeds")])
def test_a_noun_has_its_number(count, said):
    assert plural(count, "seed") == said


@pytest.mark.parametrize(
    ("share", "form", "said"),
    [
        (0.0312, ".1f", "3.1 points"),
        (-0.0312, "+.1f", "-3.1 points"),
        (0.012, ".0f", "1 point"),
        (0.01, ".1f", "1.0 points"),
    ],
)
def test_a_difference_of_shares_is_told_in_points(share, form, said):
    assert points(share, form) == said
