"""Turns the generator's JSON lines into token arrays on disk, and the arrays into batches.

    python data.py solutions train.jsonl [more.jsonl …] train.npz
    python data.py pairs pairs.jsonl pairs.npz
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer

TOKENIZER = Path(__file__).parent.parent / "models" / "target" / "tokenizer.json"
IGNORE = -100


def prompt_of(question: str) -> str:
    """A question as the chat template renders it."""
    return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n<think>\n"


def texts_of(record: dict, kind: str) -> tuple[str, str]:
    """What is given and what is learned."""
    if kind == "pairs":
        return record["prompt"], record["label"]
    return prompt_of(record["question"]), "".join(record["steps"]) + "</think>\n\n" + record["answer"] + "<|im_end|>"


def marks_of(prompt: str, encoding: Encoding) -> np.ndarray:
    """A second lesson for the judge, one mark a token: is the number that ends here, or just before, in step A too?

    1 or 0 at the tokens of step B that are a digit (of its number so far) or the first after a digit (of the whole
    number), else IGNORE. One verdict a pair teaches no model of this size to compare digits; a verdict a digit does.
    """
    marks = np.full(len(encoding.ids), IGNORE, dtype=np.int8)
    start, end = prompt.index("\nB: "), prompt.rindex("<|im_end|>")
    whole = set(re.findall(r"\d+", prompt[:start]))
    begun = {number[:size] for number in whole for size in range(1, len(number) + 1)}
    number = ""
    for i, (a, b) in enumerate(encoding.offsets):
        text = prompt[a:b] if start < a <= end else ""
        if text.isdigit():
            number += text
            marks[i] = number in begun
        elif number:
            marks[i] = number in whole
            number = ""
    return marks


def prepare(kind: str, *files: str) -> None:
    *sources, target = files
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    records = [json.loads(line) for source in sources for line in open(source)]
    ids, ends, starts, marks = [], [0], [], []
    for at in range(0, len(records), 10_000):
        pairs = [texts_of(record, kind) for record in records[at : at + 10_000]]
        given = tokenizer.encode_batch([a for a, _ in pairs])
        learned = tokenizer.encode_batch_fast([b for _, b in pairs])
        for a, b, (prompt, _) in zip(given, learned, pairs):
            ids.append(np.array(a.ids + b.ids, dtype=np.uint16))
            ends.append(ends[-1] + len(a.ids) + len(b.ids))
            starts.append(len(a.ids))
            none = np.full(len(b.ids), IGNORE, dtype=np.int8)
            marks += [marks_of(prompt, a), none] if kind == "pairs" else []
    arrays = {"ids": np.concatenate(ids), "ends": np.array(ends), "starts": np.array(starts, dtype=np.int32)}
    np.savez(target, **arrays, **({"marks": np.concatenate(marks)} if marks else {}))
    print(f"{len(records)} documents, {ends[-1] / 1e6:.1f} M tokens, mean {ends[-1] / len(records):.0f}")


def batches(path: str, lengths: list[int], budget: int, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Endless (ids, targets, marks), each [budget // length, length]: whole documents of similar length, one a row, padded.

    Few fixed lengths keep compiled shapes few. Rows never hold two documents, so nothing attends across documents.
    Targets are the next tokens, IGNORE where the prompt or padding is; marks are those of `marks_of`.
    """
    data = np.load(path)
    ids, ends, starts = data["ids"], data["ends"], data["starts"]
    all_marks = data["marks"] if "marks" in data else np.full(len(ids), IGNORE, dtype=np.int8)
    sizes = np.diff(ends)
    random = np.random.default_rng(seed)
    waiting: dict[int, list[int]] = {length: [] for length in lengths}
    while True:
        for document in random.permutation(len(sizes)):
            if sizes[document] > lengths[-1]:
                continue
            length = next(n for n in lengths if n >= sizes[document])
            waiting[length].append(document)
            if len(waiting[length]) < budget // length:
                continue
            rows = np.zeros((len(waiting[length]), length), dtype=np.int64)
            targets, marks = np.full_like(rows, IGNORE), np.full_like(rows, IGNORE)
            for row, d in enumerate(waiting[length]):
                tokens, start = ids[ends[d] : ends[d + 1]], starts[d]
                rows[row, : len(tokens)] = tokens
                marks[row, : len(tokens)] = all_marks[ends[d] : ends[d + 1]]
                targets[row, start - 1 : len(tokens) - 1] = tokens[start:]
            waiting[length] = []
            yield torch.from_numpy(rows), torch.from_numpy(targets), torch.from_numpy(marks)


if __name__ == "__main__":
    prepare(*sys.argv[1:])
