import threading

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info
from torch import nn

from engine.subject.classifier import Classifier
from engine.toolkit.threads import as_many_as_help, one_if_small, one_thread, side_by_side
from tests.conftest import rgb_blueprint


@pytest.fixture(autouse=True)
def three_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(threads)


def with_weights(count: int) -> Classifier:
    return Classifier(nn.Linear(count, 1, bias=False), rgb_blueprint())  # for 8 x 8 pixels


def test_a_small_network_gets_one_thread_and_a_large_one_or_a_large_batch_all():
    seen = []
    for weights, batch in ((1000, 32), (10_000_000, 32), (1000, 320_000)):
        with as_many_as_help(with_weights(weights), batch):
            seen.append(torch.get_num_threads())
        assert torch.get_num_threads() == 3
    assert seen == [1, 3, 3]


def test_an_error_leaves_the_number_as_it_was():
    with pytest.raises(ZeroDivisionError), as_many_as_help(with_weights(10), 1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 3


def test_little_work_gets_one_thread():
    with one_if_small(1e6):
        assert torch.get_num_threads() == 1
    with one_if_small(1e12):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == 3


def test_one_thread_is_one_for_every_library():
    np.dot(np.ones((2, 2)), np.ones((2, 2)))  # so that its library is there
    outside = blas_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
        assert blas_threads() == {1}
    assert torch.get_num_threads() == 3
    assert blas_threads() == outside


def blas_threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_who_comes_and_goes_in_between_leaves_all_threads_to_the_others():
    """A second thread enters while the first is inside, and stays when that has left; both are inside twice."""
    outside, entered, left, seen = blas_threads(), threading.Event(), threading.Event(), {}

    def second():
        with one_thread(), one_if_small(1):
            entered.set()
            left.wait(20)
            seen["inside"] = torch.get_num_threads()
        seen["after"] = torch.get_num_threads()

    other = threading.Thread(target=second)
    with one_thread():
        with one_if_small(1):
            other.start()
            assert entered.wait(20)
        assert (torch.get_num_threads(), blas_threads()) == (1, {1})
    assert torch.get_num_threads() == 3
    left.set()
    other.join()
    assert seen == {"inside": 1, "after": 3}
    assert blas_threads() == outside
    later = threading.Thread(target=lambda: seen.update(later=torch.get_num_threads()))
    later.start()
    later.join()
    assert seen["later"] == 3


def test_workers_side_by_side_compute_with_one_thread_each():
    everyone = threading.Barrier(3, timeout=20)  # which fewer than three never pass

    def threads_of(_place):
        everyone.wait()
        return threading.get_ident(), torch.get_num_threads()

    with side_by_side() as workers:
        seen = list(workers.map(threads_of, range(3)))
    assert len({name for name, _ in seen}) == 3
    assert {count for _, count in seen} == {1}
    assert torch.get_num_threads() == 3


def test_their_error_comes_back_and_leaves_the_number_as_it_was():
    with pytest.raises(ZeroDivisionError), side_by_side() as workers:
        list(workers.map(lambda place: 1 / place, [0]))
    assert torch.get_num_threads() == 3


def test_a_thread_that_starts_later_has_all_of_them():
    with side_by_side() as workers:
        list(workers.map(lambda place: place, range(3)))
    seen = []
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert seen == [3]
