"""Samples of the small alignment network: the target aligns, a step's number says what is drawn."""
import torch
import torch.nn.functional as F
from torch import Generator

from bsafusion.data import Pairs
from bsafusion.deform import jacobian
from bsafusion.pretrain import seen_length
from bsafusion.samplers import field_to_full, warp_image
from bsafusion.samples import STILL, Small, Source, mirrored, structure
from bsafusion.variety import common_field, dimmed, lesions, remnants, shaded, softened, windowed


def source(**shares):
    gen = Generator().manual_seed(3)
    y, x = torch.meshgrid(torch.arange(256.0), torch.arange(256.0), indexing="ij")
    head = ((x - 128) ** 2 + (y - 128) ** 2 < 95**2).float()
    texture = F.interpolate(torch.rand(6, 1, 24, 24, generator=gen), size=256, mode="bicubic")
    images = (head * (0.3 + 0.5 * texture)).clamp(0, 1)
    made = Source(Pairs(images[:3], images[3:], torch.arange(3), ["a", "b", "c"]), phantoms=0, **shares)
    made.draw(0, 1)
    return made


def test_the_target_undoes_what_was_done_to_the_moving_image():
    for shares in ({"still": 0.0, "wide": 0.0}, {"still": 0.0, "wide": 1.0}):
        made = source(**shares)
        sample = made.draw(3, 12)
        flow = field_to_full(sample.target / 16, 16)
        flow = F.interpolate(flow, size=128, mode="bilinear", align_corners=False) / 2
        back = warp_image(sample.moving, flow)
        truth = torch.cat((made.stock[1], made.stock[1].flip(-1)))
        nearest = lambda images: torch.stack([  # noqa: E731
            (truth - image).abs().mean((1, 2, 3)).min() for image in images])
        assert nearest(back).mean() < 0.4 * nearest(sample.moving).mean()


def test_a_step_draws_the_same_whatever_was_drawn_before():
    first, second = source(), source()
    first.draw(70, 4)
    for a, b in zip(first.draw(5, 4), second.draw(5, 4)):
        assert torch.equal(a, b)
    assert not torch.equal(second.draw(5, 4).target, second.draw(6, 4).target)


def test_pairs_that_are_to_stay_put_are_nudged_and_so_interpolated_like_all_others():
    target = source(still=1.0).draw(2, 8).target
    assert 0 < target.abs().max() <= STILL and target.flatten(2).std(-1).max() < 1e-6


def test_only_the_error_across_edges_counts():
    x = torch.arange(128.0).view(1, 1, 1, -1).expand(1, 1, 128, -1)
    edges = structure(torch.sigmoid((x - 64) / 2))
    error = torch.zeros(1, 2, 16, 16)
    error[:, 0] = 3.0
    across, along = seen_length(error, edges), seen_length(error.flip(1), edges)
    assert across > 3 * along and torch.isclose(along, torch.tensor(0.1), atol=1e-3)


def test_a_mirrored_sample_is_that_of_the_mirrored_images():
    gen = Generator().manual_seed(1)
    image = torch.rand(2, 1, 128, 128, generator=gen)
    sample = Small(image, image, torch.rand(2, 2, 16, 16, generator=gen), image[..., :16, :16],
                   structure(image), image, torch.tensor([0, 2]))
    turned = mirrored(sample)
    assert torch.allclose(turned.edges, structure(image.flip(-1)), atol=1e-6)
    assert torch.equal(turned.kind, sample.kind)
    assert torch.equal(turned.target[:, 0], -sample.target[:, 0].flip(-1))


def test_both_images_of_a_pair_are_bent_alike_and_hardly_a_field_folds():
    gen = Generator().manual_seed(2)
    field = common_field(64, 128, gen)
    assert field.shape == (64, 2, 128, 128) and (jacobian(field) <= 0).float().mean() < 1e-3
    assert 2 < 2 * field.std() < 12  # px of 256
    again = common_field(64, 128, Generator().manual_seed(2))
    assert torch.equal(field, again)


def test_shading_and_softening_leave_most_of_an_image_as_it_is():
    gen = Generator().manual_seed(2)
    images = torch.rand(64, 1, 128, 128, generator=gen) * 0.5
    same = lambda changed: int((changed == images).flatten(1).all(1).sum())  # noqa: E731
    assert 16 < same(shaded(images, gen)) < 48 and 32 < same(softened(images, gen)) < 62
    assert softened(images, gen).std() < images.std() and shaded(images, gen).max() <= 1


def test_lesions_are_small_and_inside_and_remnants_leave_little():
    gen = Generator().manual_seed(4)
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    head = ((x - 64) ** 2 + (y - 64) ** 2 < 40**2).float().expand(16, 1, 128, 128)
    fixed, moving = 0.4 * head, 0.1 + 0.3 * head
    spotted, hot = lesions(fixed, moving, gen)
    changed = (hot - moving).abs() > 0.05
    sizes = changed.sum((1, 2, 3))
    assert int(sizes.min()) > 4 and int(sizes.max()) < 0.05 * 128**2
    assert int((hot.amax((1, 2, 3)) > 0.55).sum()) > 8  # most are hot
    shown = ((spotted - fixed).abs() > 0.05).flatten(1).any(1)
    assert 4 < int(shown.sum()) < 16 and bool((changed & (head > 0)).flatten(1).any(1).all())
    little, dim = remnants(fixed, moving, gen)
    assert float((little > 0.2).float().mean((1, 2, 3)).max()) < 0.15
    assert float(dim.amin()) >= 0.1 - 1e-6 and float(dim.amax()) <= 0.4 + 1e-6


def test_dimmed_keeps_black_and_order_and_windowed_has_black_and_white():
    gen = Generator().manual_seed(5)
    images = 0.0625 + 0.9 * torch.rand(8, 1, 16, 16, generator=gen)
    dim = dimmed(images, gen)
    assert torch.allclose(dim.amin((1, 2, 3)), images.amin((1, 2, 3)))
    assert bool((dim.amax((1, 2, 3)) < 0.8 * images.amax((1, 2, 3))).all())
    assert torch.equal(dim.flatten(1).argmax(1), images.flatten(1).argmax(1))
    narrow = windowed(images, gen)
    assert float(narrow.amin()) == 0 and float(narrow.amax()) == 1
    assert float((narrow == 1).float().mean()) > 0.2
