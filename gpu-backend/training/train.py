"""Trains one demo model for a given wall time; the learning rate is zero when the time is up.

    python train.py target --minutes 50 --data train.npz --work DIR
    python train.py draft  --minutes 10 --data train.npz --work DIR
    python train.py judge  --minutes 10 --data pairs.npz --work DIR
    torchrun --nproc-per-node 2 -- train.py target --fp32 …   # a core each; gradients are averaged

Checkpoints with the optimiser lie in DIR. `--resume` goes on from the last one before the rates began to fall (or, where
there is none, from the latest), with the schedule spread over the new total of minutes.
"""

import argparse
import os
import time
from pathlib import Path
from statistics import fmean

import torch
import torch.distributed as dist
import torch.nn.functional as F
from data import IGNORE, TOKENIZER, batches
from model import Config, Model, export, load, rotary
from muon import Muon
from tokenizers import Tokenizer

MODELS = Path(__file__).parent.parent / "models"
CONFIGS = {
    "target": Config(hidden=384, layers=6, heads=6, kv_heads=2, ffn=1152),
    # So small that its forward costs what its nodes cost, well under a tenth of the target's.
    "draft": Config(hidden=128, layers=2, heads=2, kv_heads=1, ffn=320),
    "draft-far": Config(hidden=128, layers=2, heads=2, kv_heads=1, ffn=320),
    "judge": Config(hidden=192, layers=4, heads=4, kv_heads=1, ffn=512),
}
LENGTHS = {"solutions": [128, 192, 256, 320, 384, 448, 576, 704, 832, 960, 1152, 1408, 1728, 2048, 2560, 3072, 3584, 4096], "judge": [64, 80, 96, 112, 128, 160, 288]}

parser = argparse.ArgumentParser()
parser.add_argument("name", choices=CONFIGS)
parser.add_argument("--minutes", type=float, required=True, help="wall time of all runs together")
parser.add_argument("--data", required=True)
parser.add_argument("--work", required=True, help="folder for checkpoints")
parser.add_argument("--batch", type=int, default=6144, help="tokens a step, padding included")
parser.add_argument("--muon-lr", type=float, default=0.02)
parser.add_argument("--adam-lr", type=float, default=3e-3)
parser.add_argument("--decay", type=float, default=0.5, help="share of the time over which the rates fall to zero")
parser.add_argument("--export-every", type=float, default=10, help="minutes between exports to ../models")
parser.add_argument("--compile", action="store_true")
parser.add_argument("--fp32", action="store_true", help="for a CPU without products in bf16")
parser.add_argument("--resume", action="store_true")
parser.add_argument("--start", help="folder of a model whose layers become the first layers of this one, and whose heads its first heads")
parser.add_argument("--no-export", action="store_true")
parser.add_argument("--models", default=str(MODELS), help="folder that the model's own folder is written to")
parser.add_argument("--jumps", type=float, default=0.0, help="share of rows whose positions jump ahead at one place")


def rate(done: float, decay: float) -> float:
    """Warm-up over 1 %, constant, then linear to zero (WSD). `done` is the share of the time that has passed."""
    return max(0.0, min(1.0, done / 0.01 + 0.02, (1 - done) / decay))


def grown(weights: dict[str, torch.Tensor], larger: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights for a model with more heads: what the added ones see begins at random, and what they say at zero."""
    for name, weight in weights.items():
        into = larger[name].zero_() if "o_proj" in name else larger[name]
        into[tuple(slice(size) for size in weight.shape)] = weight
    return {name: larger[name] for name in weights}


def token_loss(model: Model, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the positions [batch, length] whose target is not IGNORE; only their logits are computed."""
    keep = targets != IGNORE
    logits = F.linear(hidden[keep], model.embed_tokens.weight)
    return F.cross_entropy(logits.float(), targets[keep])


def jumping(positions: torch.Tensor, limit: int, share: float) -> torch.Tensor:
    """Positions [rows, length]; in a `share` of the rows all from some place on are further by one number, up to `limit`.

    So rows of a thousand tokens teach distances of thousands (positional skip-wise training, arXiv 2309.10400).
    """
    rows, length = positions.shape
    cut = torch.randint(1, length, (rows, 1))
    room = limit - 1 - positions.amax(1, keepdim=True)
    shift = (torch.rand(rows, 1) * (room + 1)).long() * (torch.rand(rows, 1) < share)
    return positions + shift * (torch.arange(length) >= cut)


def prompt_targets(ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The judge's second task in the first half of its training: to predict its prompt, which teaches it to compare."""
    following = F.pad(ids[:, 1:], (0, 1))
    return following.masked_fill((following == 0) | (targets != IGNORE), IGNORE)


def mark_loss(head: torch.nn.Linear, hidden: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of `data.marks_of`; the head is left behind when training ends."""
    keep = marks != IGNORE
    return F.cross_entropy(head(hidden[keep]).float(), marks[keep])


def processes() -> tuple[int, int]:
    """This process's number, and how many train together: as torchrun started them, or one."""
    if "RANK" not in os.environ:
        return 0, 1
    dist.init_process_group("gloo")
    torch.set_num_threads(1)
    return dist.get_rank(), dist.get_world_size()


def average(parameters: list[torch.Tensor], count: int) -> None:
    """Sets the gradients of all processes to their average."""
    gradients = torch.cat([p.grad.flatten() for p in parameters])
    dist.all_reduce(gradients)
    for p, gradient in zip(parameters, gradients.split([p.numel() for p in parameters])):
        p.grad = gradient.view_as(p) / count


def longest(seconds: float) -> float:
    """The most of all processes: they end together."""
    each = torch.tensor(seconds, dtype=torch.float64)
    dist.all_reduce(each, op=dist.ReduceOp.MAX)
    return each.item()


def main() -> None:
    args = parser.parse_args()
    rank, count = processes()
    torch.manual_seed(1)  # all begin with the same weights
    config = CONFIGS[args.name]
    model = Model(config)
    if args.start:
        donor = load(Path(args.start))
        model.load_state_dict(grown(donor.state_dict(), model.state_dict()), strict=False)
        for layer in model.layers[donor.c.layers :]:  # the added layers do nothing yet
            torch.nn.init.zeros_(layer.self_attn.o_proj.weight)
            torch.nn.init.zeros_(layer.mlp.down_proj.weight)
    names = ["<|im_end|>", "<|endoftext|>"]
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokens = {name: tokenizer.token_to_id(name) for name in names}
    matrices = [p for p in model.layers.parameters() if p.dim() == 2]
    comparer = torch.nn.Linear(config.hidden, 2)  # the judge's second lesson
    if rank > 0:
        torch.manual_seed(1 + rank)
    others = [model.embed_tokens.weight, *(p for p in model.parameters() if p.dim() == 1), *comparer.parameters()]
    optimisers = [
        Muon(matrices, lr=args.muon_lr, dtype=torch.float32 if args.fp32 else torch.bfloat16),
        torch.optim.AdamW(others, lr=args.adam_lr, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]
    checkpoint = Path(args.work) / f"{args.name}.pt"
    stable = checkpoint.with_stem(f"{args.name}-stable")
    before, step, seen, decaying = 0.0, 0, 0, False
    if args.resume:
        state = torch.load(stable if stable.exists() else checkpoint)
        model.load_state_dict(state["model"])
        comparer.load_state_dict(state["comparer"])
        for optimiser, s in zip(optimisers, state["optimisers"]):
            optimiser.load_state_dict(s)
        before, step, seen = state["seconds"], state["step"], state["seen"]
    for optimiser, rate_at_most in zip(optimisers, (args.muon_lr, args.adam_lr)):
        for group in optimiser.param_groups:
            group["initial"] = rate_at_most

    def save(seconds: float, path: Path = checkpoint) -> None:
        if rank > 0:
            return
        state = {
            "model": model.state_dict(), "comparer": comparer.state_dict(), "optimisers": [o.state_dict() for o in optimisers],
            "seconds": seconds, "step": step, "seen": seen,
        }  # fmt: skip
        torch.save(state, f"{path}.tmp")
        os.replace(f"{path}.tmp", path)
        if not args.no_export:
            export(model, Path(args.models) / args.name, tokens)

    cos, sin = rotary(config)
    forward = torch.compile(model, dynamic=True) if args.compile else model
    lengths = LENGTHS.get(args.name, LENGTHS["solutions"])
    print(f"{args.name}: {model.size() / 1e6:.2f} M parameters")
    total = args.minutes * 60
    last_step = last_save = last_print = time.time()
    spent, since, losses, verdicts = before, 0, [], []
    for ids, positions, targets, marks in batches(args.data, lengths, args.batch, seed=step * count + rank):
        # A process that is stopped for a while goes on where it was in its schedule.
        spent, last_step = spent + min(time.time() - last_step, 30), time.time()
        if count > 1:
            spent = longest(spent)
        if spent >= total:
            break
        if spent > (1 - args.decay) * total and not decaying:
            decaying = True
            save(spent, stable)  # from here a longer run can go on
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["initial"] * rate(spent / total, args.decay)
        # An outline can count more tokens than there are positions.
        positions = jumping(positions.clamp(max=config.positions - 1), config.positions, args.jumps)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not args.fp32):
            hidden = forward(ids, cos[positions][:, None], sin[positions][:, None])
            loss = token_loss(model, hidden, targets)
            if args.name == "judge":
                verdicts.append(loss.item())
                loss = loss + mark_loss(comparer, hidden, marks)
                reading = max(0.0, 0.5 - spent / total)
                if reading > 0:
                    loss = loss + reading * token_loss(model, hidden, prompt_targets(ids, targets))
        loss.backward()
        if count > 1:
            average([p for p in [*matrices, *others] if p.grad is not None], count)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        step, seen, since = step + 1, seen + count * ids.numel(), since + count * ids.numel()
        losses.append(loss.item())
        now = time.time()
        if rank == 0 and now - last_print > 10:
            print(
                f"step {step}  {seen / 1e6:.2f} M tokens  {since / (now - last_print):.0f} tokens/s  "
                f"loss {fmean(losses):.4f}  "
                + (f"verdict {fmean(verdicts):.4f}  " if verdicts else "")
                + f"{(total - spent) / 60:.1f} minutes left",
                flush=True,
            )
            last_print, since, losses, verdicts = now, 0, [], []
        if now - last_save > args.export_every * 60:
            last_save = now
            save(spent)
    save(spent)
    print(f"done: {step} steps, {seen / 1e6:.2f} M tokens, {spent / 60:.1f} minutes")


if __name__ == "__main__":
    main()
