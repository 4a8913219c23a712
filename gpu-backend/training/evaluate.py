"""Measures the demo models on held-out data.

    node ../dataset/write.ts --kind solutions --split test --count 500 --out test.jsonl
    python evaluate.py pass ../models/target test.jsonl
    node ../dataset/write.ts --kind long --split test --count 100 --out long-test.jsonl
    python evaluate.py pass ../models/target long-test.jsonl
    node ../dataset/write.ts --kind pairs --split test --count 3000 --out pairs-test.jsonl
    python evaluate.py judge ../models/judge pairs-test.jsonl
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


def draw(logits: torch.Tensor) -> torch.Tensor:
    """One token a row from logits [rows, vocabulary], at temperature 0.6 and top-p 0.95."""
    p, order = F.softmax(logits.float() / TEMPERATURE, -1).sort(descending=True)
    p[p.cumsum(-1) - p >= TOP_P] = 0
    return order.gather(1, torch.multinomial(p, 1))[:, 0]


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
        token = draw(hidden[:, -1].float() @ model.embed_tokens.weight.T)
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
    {"pass": passes, "judge": judge, "logits": logits}[command](Path(folder), *rest)
