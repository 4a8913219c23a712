"""Measures the demo models on held-out data.

    node ../dataset/write.ts --kind solutions --split test --count 500 --out test.jsonl
    python evaluate.py pass ../models/target test.jsonl
    node ../dataset/write.ts --kind long --split test --count 100 --out long-test.jsonl
    python evaluate.py pass ../models/target long-test.jsonl
    node ../dataset/write.ts --kind pairs --split test --count 3000 --out pairs-test.jsonl
    python evaluate.py judge ../models/judge pairs-test.jsonl
    python evaluate.py pair ../models/target ../models/draft test.jsonl 40     (token speculation)
    node ../dataset/write.ts --kind copies --split validation --out copies.jsonl
    python evaluate.py copies ../models/target copies.jsonl                    (which tokens of a new word it copies)
    python evaluate.py logits ../models/target        (compares with transformers)
"""

import json
import re
import sys
import time
from collections import defaultdict
from pathlib import Path

import torch
import torch.nn.functional as F
from data import prompt_of
from model import Cache, Model, load, rotary
from tokenizers import Tokenizer

TEMPERATURE, TOP_P = 0.6, 0.95
# Tokens of a completion, for a question of so many parts.
LIMIT = {"one": 640, "several": 3200}


def distribution(logits: torch.Tensor) -> torch.Tensor:
    """Probabilities [rows, vocabulary] at temperature 0.6 and top-p 0.95."""
    p, order = F.softmax(logits.float() / TEMPERATURE, -1).sort(descending=True)
    p[p.cumsum(-1) - p >= TOP_P] = 0
    return torch.zeros_like(p).scatter(1, order, p / p.sum(-1, keepdim=True))


def draw(p: torch.Tensor) -> torch.Tensor:
    """One token a row of probabilities [rows, vocabulary]."""
    return torch.multinomial(p, 1)[:, 0]


@torch.no_grad()
def complete(model: Model, prompts: list[list[int]], end: int, limit: int) -> list[list[int]]:
    """Samples one completion for each prompt, all together; rows that are done leave the batch."""
    cos, sin = rotary(model.c)
    out: list[list[int]] = [[] for _ in prompts]
    rows, lengths = list(range(len(prompts))), torch.tensor([len(p) for p in prompts])
    width = int(lengths.max())
    # Prompts are padded on the left; positions count from the first real token.
    ids = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    pad = (width - lengths)[:, None]
    caches = [Cache() for _ in model.layers]
    past = 0
    while rows and past < width + limit:
        size = ids.shape[1]
        key, query = torch.arange(past + size), torch.arange(past, past + size)
        visible = (key[None, None] <= query[None, :, None]) & (key[None, None] >= pad[:, None])
        visible |= key[None, None] == query[None, :, None]
        position = (query[None] - pad).clamp(min=0)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=size > 1):
            hidden = model(ids, cos[position][:, None], sin[position][:, None], caches, visible[:, None])
        token = draw(distribution(hidden[:, -1].float() @ model.embed_tokens.weight.T))
        past += size
        keep = token != end
        for i, row in enumerate(rows):
            if keep[i]:
                out[row].append(int(token[i]))
        if not keep.all():
            rows = [row for i, row in enumerate(rows) if keep[i]]
            for cache in caches:
                cache.keep(keep)
            pad = pad[keep]
        ids = token[keep][:, None]
    return out


def passes(folder: Path, path: str, most: int = 10_000) -> None:
    """pass@1 of the first problems of a file; of questions of several parts also the share of parts that are right."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = load(folder)
    torch.manual_seed(0)
    records = [json.loads(line) for line in open(path)][: int(most)]
    several = records[0]["family"] == "long"
    batch, limit = (20, LIMIT["several"]) if several else (100, LIMIT["one"])
    table: dict[str, list[bool]] = defaultdict(list)
    parts: list[bool] = []
    start, tokens = time.time(), 0
    for at in range(0, len(records), batch):
        part = records[at : at + batch]
        prompts = [tokenizer.encode(prompt_of(r["question"])).ids for r in part]
        for record, ids in zip(part, complete(model, prompts, tokenizer.token_to_id("<|im_end|>"), limit)):
            boxed = re.findall(r"\\boxed\{([^{}]*)\}", tokenizer.decode(ids, skip_special_tokens=False))
            given, expected = (boxed[-1] if boxed else "").replace(" ", "").split(","), record["expected"].split(", ")
            parts += [given[i : i + 1] == [answer] for i, answer in enumerate(expected)]
            table[record["family"]].append(given == expected)
            tokens += len(ids)
        done = sum(table.values(), [])
        print(f"{len(done)}: {100 * sum(done) / len(done):.1f} %  {time.time() - start:.0f} s", flush=True)
    for family, right in sorted(table.items()):
        print(f"{family:12} {sum(right):3} of {len(right):3}  {100 * sum(right) / len(right):5.1f} %")
    done = sum(table.values(), [])
    print(f"pass@1 {100 * sum(done) / len(done):.1f} % of {len(done)}, mean {tokens / len(done):.0f} tokens")
    if several:
        print(f"parts {100 * sum(parts) / len(parts):.1f} % of {len(parts)}")


class Reader:
    """A model that has read a text, and reads on or forgets its end."""

    def __init__(self, folder: Path, ids: list[int]):
        self.model, self.ids = load(folder), []
        self.rotation, self.caches = rotary(self.model.c), [Cache() for _ in self.model.layers]
        self.read(ids)

    def read(self, ids: list[int]) -> torch.Tensor:
        """The distributions [tokens, vocabulary] after each of `ids`, which are read."""
        past, size = len(self.ids), len(ids)
        visible = torch.arange(past + size) <= torch.arange(past, past + size)[:, None]
        cos, sin = (t[past : past + size] for t in self.rotation)
        hidden = self.model(torch.tensor([ids]), cos, sin, self.caches, visible[None, None])
        self.ids += ids
        return distribution(hidden[0] @ self.model.embed_tokens.weight.T)

    def forget(self, length: int) -> None:
        """Goes back to the first `length` tokens."""
        del self.ids[length:]
        for cache in self.caches:
            cache.length = length


@torch.no_grad()
def pair(target_folder: Path, draft_folder: str, path: str, most: int = 40) -> None:
    """Token speculation with 8 guesses a round: how many of them are accepted, each with probability min(1, p / q)."""
    tokenizer = Tokenizer.from_file(str(target_folder / "tokenizer.json"))
    end = tokenizer.token_to_id("<|im_end|>")
    torch.manual_seed(0)
    accepted, matched = [], []
    for record in [json.loads(line) for line in open(path)][: int(most)]:
        prompt = tokenizer.encode(prompt_of(record["question"])).ids
        target, draft = Reader(target_folder, prompt[:-1]), Reader(Path(draft_folder), prompt[:-1])
        last = prompt[-1]
        while last != end and len(target.ids) < len(prompt) + 3200:
            start, guesses, qs = len(target.ids), [], []
            for _ in range(8):
                qs.append(draft.read([guesses[-1] if guesses else last])[0])
                guesses.append(int(draw(qs[-1][None])))
            ps = target.read([last, *guesses])
            taken = 0
            while taken < 8 and float(torch.rand(())) * qs[taken][guesses[taken]] < ps[taken][guesses[taken]]:
                taken += 1
                if guesses[taken - 1] == end:
                    break
            matched += [float(torch.minimum(p, q).sum()) for p, q in zip(ps, qs[: taken + 1])]
            accepted.append(taken)
            if taken and guesses[taken - 1] == end:
                break
            rest = ps[taken] if taken == 8 else (ps[taken] - qs[taken]).clamp(min=0)
            last = int(draw(rest[None]))
            target.forget(start + taken + 1)
            draft.forget(min(len(draft.ids), start + taken + 1))
            draft.read(target.ids[len(draft.ids) :]) if len(draft.ids) < len(target.ids) else None
    print(f"of 8 guesses {sum(accepted) / len(accepted):.2f} accepted on average, over {len(accepted)} rounds")
    print(f"a token is accepted with probability {sum(matched) / len(matched):.3f}")


@torch.no_grad()
def judge(folder: Path, path: str) -> None:
    """Precision and recall of `aligned`, taking the more probable of the two verdict tokens."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = load(folder)
    cos, sin = rotary(model.c)
    yes, no = tokenizer.token_to_id("aligned"), tokenizer.token_to_id("unaligned")
    records = sorted((json.loads(line) for line in open(path)), key=lambda r: len(r["prompt"]))
    table: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for at in range(0, len(records), 100):
        part = records[at : at + 100]
        encoded = [tokenizer.encode(r["prompt"]).ids for r in part]
        width = max(map(len, encoded))
        ids = torch.tensor([e + [0] * (width - len(e)) for e in encoded])
        hidden = model(ids, cos[:width], sin[:width])
        last = hidden[torch.arange(len(part)), torch.tensor([len(e) - 1 for e in encoded])]
        logits = last @ model.embed_tokens.weight[[yes, no]].T
        for record, verdict in zip(part, (logits[:, 0] > logits[:, 1]).tolist()):
            table[record["label"], record["why"]].append(verdict)
    for (label, why), verdicts in sorted(table.items()):
        print(f"{label:10} {why:13} called aligned {sum(verdicts):4} of {len(verdicts):4}")
    right = sum(sum(v) for (label, _), v in table.items() if label == "aligned")
    wrong = sum(sum(v) for (label, _), v in table.items() if label == "unaligned")
    aligned = sum(len(v) for (label, _), v in table.items() if label == "aligned")
    print(f"{len(records)} pairs: precision {right / max(1, right + wrong):.4f}, recall {right / aligned:.4f}")


@torch.no_grad()
def copies(folder: Path, path: str, out: str | None = None) -> None:
    """How sure it is of each token of words in the steps about a thing that is named with it: its mean loss, in nats; all of them to `out`."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = load(folder)
    cos, sin = rotary(model.c)
    losses: dict[str, list[float]] = defaultdict(list)
    for record in map(json.loads, open(path)):
        prompt = prompt_of(record["question"])
        encoding = tokenizer.encode(prompt + "".join(record["steps"]))
        ids, wanted = torch.tensor(encoding.ids), tokenizer.token_to_id(record["token"])
        hidden = model(ids[None], cos[: len(ids)], sin[: len(ids)])[0]
        each = F.cross_entropy((hidden[:-1] @ model.embed_tokens.weight.T).float(), ids[1:], reduction="none").tolist()
        starts = [start for start, _ in encoding.offsets[1:]]
        losses[record["token"]] += [loss for loss, id, start in zip(each, encoding.ids[1:], starts) if id == wanted and start >= len(prompt)]
    means = {token: sum(found) / len(found) for token, found in losses.items() if found}
    if out:
        Path(out).write_text(json.dumps(means))
    for name, first in (("that words begin with", True), ("that come later", False)):
        table = sorted(((loss, token) for token, loss in means.items() if token.startswith("Ġ") == first), reverse=True)
        print(f"of {len(table)} tokens {name}, {sum(loss > 3 for loss, _ in table)} have a mean loss above 3; most: {' '.join(token for _, token in table[:10])}")


@torch.no_grad()
def logits(folder: Path) -> None:
    from transformers import AutoTokenizer, Qwen3ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = tokenizer.apply_chat_template([{"role": "user", "content": "What is 6×14?"}], tokenize=False, add_generation_prompt=True)
    assert text == prompt_of("What is 6×14?"), text
    ids = torch.tensor([tokenizer.encode(text)])
    model = load(folder)
    cos, sin = rotary(model.c)
    ours = model(ids, cos[: ids.shape[1]], sin[: ids.shape[1]]) @ model.embed_tokens.weight.T
    theirs = Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32)(ids).logits
    print(f"largest difference of logits {(ours - theirs).abs().max():.2e}, of {theirs.abs().max():.1f}")


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    {"pass": passes, "judge": judge, "pair": pair, "copies": copies, "logits": logits}[command](Path(folder), *rest)
