"""Muon: momentum whose matrix is orthogonalised before it is applied (Keller Jordan, 2024)."""

import torch
from torch import Tensor


def orthogonalise(g: Tensor, dtype: torch.dtype, steps: int = 5) -> Tensor:
    """Newton–Schulz iteration that drives all singular values of each matrix [n, rows, columns] towards 1."""
    x = g.to(dtype)
    wide = x.size(-2) <= x.size(-1)
    x = x if wide else x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        a = x @ x.mT
        b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, b, x, beta=3.4445)
    return (x if wide else x.mT).float()


class Muon(torch.optim.Optimizer):
    """For 2-D hidden matrices only. Matrices of one shape are orthogonalised together."""

    def __init__(self, params, lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.01, dtype: torch.dtype = torch.bfloat16):
        """@param dtype of the iteration: bf16 is enough"""
        self.dtype = dtype
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            shapes: dict[tuple[int, ...], list[Tensor]] = {}
            for p in group["params"]:
                shapes.setdefault(tuple(p.shape), []).append(p)
            for (rows, columns), params in shapes.items():
                updates = []
                for p in params:
                    m = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    m.lerp_(p.grad, 1 - group["momentum"])
                    updates.append(p.grad.lerp(m, group["momentum"]))
                scale = group["lr"] * max(1, rows / columns) ** 0.5
                for p, u in zip(params, orthogonalise(torch.stack(updates), self.dtype)):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(u, alpha=-scale)
