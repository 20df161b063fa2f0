"""Somebody else's classifier in our network: what is counted and asked is the module that is there."""

import pytest
import torch
from torch import nn

import effnet_edu as ee
from effnet_edu.images.photographs import photograph
from tests.model.reference import TINY, settled


class LastIsFirst(nn.Module):
    """A head whose layers are defined in another order than they run."""

    def __init__(self):
        super().__init__()
        self.out, self.hidden = nn.Linear(20, 4), nn.Linear(32, 20)

    def forward(self, x):
        return self.out(self.hidden(x).relu())


HEADS = {
    "defined in another order": (LastIsFirst, 4),
    "linear": (lambda: nn.Linear(32, 7), 7),
    "several layers": (
        lambda: nn.Sequential(nn.Linear(32, 16), nn.SiLU(), nn.Dropout(0.5), nn.Linear(16, 5)),
        5,
    ),
    "convolution": (
        lambda: nn.Sequential(nn.Unflatten(1, (32, 1, 1)), nn.Conv2d(32, 4, 1), nn.Flatten()),
        4,
    ),
    "identity": (nn.Identity, 0),
}


@pytest.fixture(params=HEADS)
def net(request):
    make, classes = HEADS[request.param]
    net = settled(TINY)
    net.classifier = make().eval()
    assert net.num_classes == classes
    return net


@pytest.fixture
def images():
    return torch.randn(2, 3, 40, 40, generator=torch.Generator().manual_seed(0))


def test_asking_for_the_classes_runs_and_changes_nothing():
    net, seen = ee.create(TINY), []
    net.classifier = LastIsFirst().train()
    net.classifier.hidden.register_forward_hook(lambda *_: seen.append(1))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert net.num_classes == 4
    assert not seen
    assert net.classifier.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert len(net.classifier.hidden._forward_hooks) == 1


def test_the_optimised_network_keeps_it(net, images):
    optimised = ee.optimize_for_inference(net)
    assert optimised.num_classes == net.num_classes
    torch.testing.assert_close(optimised(images), net(images), atol=1e-4, rtol=1e-4)


def test_our_own_layout_keeps_it_and_others_say_that_they_cannot(net):
    exported = ee.export_state_dict(net, "effnet_edu")
    assert exported.keys() == net.state_dict().keys()
    if isinstance(net.classifier, nn.Sequential):
        b0 = ee.create("efficientnet_b0", device="meta")
        b0.classifier = net.classifier
        with pytest.raises(ValueError, match=r"classifier .* Sequential.* 'effnet_edu' has names for it"):
            ee.export_state_dict(b0, "timm")


def test_a_backbone_alone_is_counted_and_answers_with_features(images):
    net = ee.create(TINY, num_classes=0).eval()
    assert isinstance(net.classifier, nn.Identity)
    assert net(images).shape == (2, TINY.head_channels)
    counted = ee.cost(TINY, num_classes=0)
    assert counted.parameters == sum(weight.numel() for weight in net.parameters())


def test_a_stem_of_ones_own_says_how_many_channels_it_takes():
    net = settled(TINY)
    net.stem.conv = nn.Conv2d(1, TINY.stem_channels, 3, 2, 1)
    assert net.in_channels == 1
    assert net(torch.zeros(1, 1, 32, 32)).shape == (1, 10)
    with pytest.raises(ValueError, match=r"takes \(batch, 1, height, width\)"):
        net(torch.zeros(1, 3, 32, 32))


def test_classes_are_those_of_the_module_that_is_there():
    pytest.importorskip("skimage")
    how = ee.list_weights("efficientnet_lite0")[0]
    net = ee.create(TINY).eval()
    net.classifier = nn.Linear(32, 3)
    found = ee.classify(net, photograph("chelsea"), preprocessing=how.preprocessing)
    assert sorted(row.label for row in found) == ["class 0", "class 1", "class 2"]
    net.classifier = nn.Identity()
    with pytest.raises(ValueError, match=r"of type Identity, which does not tell a number of classes"):
        ee.classify(net, photograph("chelsea"), preprocessing=how.preprocessing)


def test_a_network_where_a_spec_belongs_is_named_in_a_short_sentence():
    for given in (ee.create("efficientnet_b0", device="meta"), nn.Linear(2, 2)):
        with pytest.raises(
            ValueError, match=r"must be a NetworkSpec or the name of .*ee\.profile counts"
        ) as refused:
            ee.cost(given)
        assert len(str(refused.value)) < 400
