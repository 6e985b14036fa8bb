"""The optimiser of the small networks: orthogonal updates of matrices, Adam's of vectors."""
import torch

from bsafusion.muon import MOMENTUM, Muon, orthogonal


def test_singular_values_come_near_one_whatever_they_were():
    torch.manual_seed(1)
    for shape in ((24, 60), (60, 24)):
        left, _, right = torch.linalg.svd(torch.randn(*shape), full_matrices=False)
        spread = torch.logspace(0, -2, left.shape[1])
        found = torch.linalg.svd(orthogonal(left * spread @ right))
        assert found.S.min() > 0.5 and found.S.max() < 1.4
        # the directions stay what they were
        assert torch.trace(right @ orthogonal(left * spread @ right).T @ left) / left.shape[1] > 0.6


def test_vectors_move_as_adam_moves_them():
    torch.manual_seed(1)
    start = torch.randn(7)
    mine, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    optimizers = (Muon([{"params": [mine]}], lr=1e-2),
                  torch.optim.AdamW([theirs], lr=1e-2, betas=(0.9, 0.99), weight_decay=1e-3))
    for _ in range(20):
        gradient = torch.randn(7)
        for parameter, optimizer in zip((mine, theirs), optimizers):
            parameter.grad = gradient.clone()
            optimizer.step()
    assert torch.allclose(mine, theirs, atol=1e-6)


def test_a_filter_moves_by_its_momentum_made_orthogonal():
    torch.manual_seed(1)
    start, gradient = torch.randn(2, 6, 4, 3, 3)
    filters = torch.nn.Parameter(start.clone())
    optimizer = Muon([{"params": [filters]}], lr=0.1, weight_decay=0.0)
    filters.grad = gradient
    optimizer.step()
    ahead = (gradient * (1 - MOMENTUM * MOMENTUM)).flatten(1)
    wanted = start - 0.1 * 0.2 * 6 * orthogonal(ahead).view_as(start)
    assert torch.allclose(filters.detach(), wanted, atol=1e-2)

