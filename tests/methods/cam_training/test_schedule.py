import pytest

from engine.methods.cam_training.schedule import check_schedule, weights_at
from engine.methods.cam_training.settings import TeachingSettings


def course(steps: int = 15, **said) -> list[tuple[float, float]]:
    return [weights_at(TeachingSettings(**said), step, steps) for step in range(steps)]


def test_by_default_the_term_is_on_from_the_first_step_to_the_last():
    assert course(weight=2.0) == [(1.0, 2.0)] * 15


def test_it_is_on_from_its_begin_to_its_end():
    assert [cam for _, cam in course(begin=0.2, end=0.6)] == [0.0] * 3 + [1.0] * 6 + [0.0] * 6
    assert all(plain == 1 for plain, _ in course(begin=0.2, end=0.6))


def test_published_is_a_third_of_cross_entropy_a_third_of_the_term_alone_and_cross_entropy_again():
    for loss in ("published", "published_as_it_was"):
        assert course(loss=loss, weight=3.0) == [(1.0, 0.0)] * 5 + [(0.0, 3.0)] * 5 + [(1.0, 0.0)] * 5


def test_the_other_arms_and_a_weight_of_nothing_have_no_term():
    for said in ({"arm": "default"}, {"arm": "crop"}, {"arm": "decorrelated"}, {"weight": 0.0}):
        assert course(**said) == [(1.0, 0.0)] * 15


def test_the_margin_has_its_weight_within():
    assert course(loss="margin", weight=5.0)[0] == (1.0, 1.0)


@pytest.mark.parametrize(
    ("said", "steps"), [({"begin": 0.51, "end": 0.52}, 10), ({"loss": "published"}, 1), ({"begin": 0.95}, 10)]
)
def test_a_term_that_is_on_in_no_step_is_refused(said, steps):
    assert not any(cam for _, cam in course(steps, **said))
    with pytest.raises(ValueError, match=f"the CAM term is on in none of the {steps} steps"):
        check_schedule(TeachingSettings(**said), steps)
    check_schedule(TeachingSettings(**said), 100)
    check_schedule(TeachingSettings(**said, arm="default"), steps)
    check_schedule(TeachingSettings(**said, weight=0.0), steps)
