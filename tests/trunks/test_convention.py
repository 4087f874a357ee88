"""Channel order, range, mean and standard deviation; grey images."""

import pytest
import torch

from realitycheck.errors import InputError
from realitycheck.trunks.convention import Convention, Normalise

CAFFE = Convention(side=224, order="BGR", top=255.0, mean=(104.0, 117.0, 128.0), std=(1.0, 1.0, 1.0))


def test_by_hand():
    """A pure red pixel of Caffe's convention: blue and green are 0, red is 255."""
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    made = Normalise(CAFFE, in_channels=3)(red).flatten()
    assert torch.allclose(made, torch.tensor([-104.0, -117.0, 127.0]))


def test_grey_is_repeated():
    grey = torch.rand(2, 1, 4, 4)
    made = Normalise(CAFFE, in_channels=1)(grey)
    assert torch.equal(made, Normalise(CAFFE, in_channels=3)(grey.repeat(1, 3, 1, 1)))


def test_it_has_no_weights():
    assert not Normalise(CAFFE, in_channels=3).state_dict()


@pytest.mark.parametrize("in_channels", [0, 2, 4])
def test_other_channels(in_channels):
    with pytest.raises(InputError) as caught:
        Normalise(CAFFE, in_channels=in_channels)
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("image-channels", "in_channels")
