import pytest
import torch
from torch import nn

from engine.subject.classifier import Classifier
from engine.toolkit.threads import as_many_as_help
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
    for weights, batch in ((1000, 32), (1_000_000, 32), (1000, 32_000)):
        with as_many_as_help(with_weights(weights), batch):
            seen.append(torch.get_num_threads())
        assert torch.get_num_threads() == 3
    assert seen == [1, 3, 3]


def test_an_error_leaves_the_number_as_it_was():
    with pytest.raises(ZeroDivisionError), as_many_as_help(with_weights(10), 1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 3
