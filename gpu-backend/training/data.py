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


def pieces_of(record: dict, kind: str) -> list[tuple[str, str]]:
    """A document's pieces and what becomes of each: `learned`, `given` (without loss), or `skipped` (only its length counts)."""
    if kind == "pairs":
        return [(record["prompt"], "given"), (record["label"], "learned")]
    prompt, answer = prompt_of(record["question"]), "</think>\n\n" + record["answer"] + "<|im_end|>"
    if "roles" not in record:
        return [(prompt, "given"), ("".join(record["steps"]) + answer, "learned")]
    return [(prompt, "given"), *zip(record["steps"], record["roles"]), (answer, "learned")]


def marks_of(record: dict, encoding: Encoding) -> np.ndarray:
    """A second lesson for the judge: marks, 1 or 0, at single tokens of its prompt, elsewhere IGNORE.

    One verdict a pair teaches no model of this size to compare; a verdict a digit, and one a differing word, does.
    """
    prompt = record["prompt"]
    marks = np.full(len(encoding.ids), IGNORE, dtype=np.int8)
    end = prompt.rindex("<|im_end|>")
    lists = prompt.find("\nA only: ")  # -1: a prompt of whole steps, without lists of the differing words
    mark_digits(marks, prompt[: lists if lists > 0 else end], prompt.index("\nB: "), encoding)
    if lists > 0 and record.get("strange") is not None:
        mark_words(marks, prompt[:end], lists, set(record["strange"]), encoding)
    return marks


def mark_digits(marks: np.ndarray, prompt: str, start: int, encoding: Encoding) -> None:
    """At the digits of step B, from `start` on: does the number so far begin one of step A? At the next token: is the whole number one?"""
    whole = set(re.findall(r"\d+", prompt[:start]))
    begun = {number[:size] for number in whole for size in range(1, len(number) + 1)}
    number = ""
    for i, (a, b) in enumerate(encoding.offsets):
        text = prompt[a:b] if start < a else ""
        if text.isdigit():
            number += text
            marks[i] = number in begun
        elif number:
            marks[i] = number in whole
            number = ""


def mark_words(marks: np.ndarray, prompt: str, start: int, strange: set[str], encoding: Encoding) -> None:
    """At the end of each word of the lists of differing words, from `start` on: can the other step be said with this word?"""
    words = re.compile(r"[^\W\d_]+|[^\s\w]")
    listed: dict[int, str] = {}
    for line in re.finditer(r"^[AB] only: (.*)$", prompt[start:], re.MULTILINE):
        listed |= {start + line.start(1) + word.end(): word.group().lower() for word in words.finditer(line.group(1))}
    for i, (_, b) in enumerate(encoding.offsets):
        if b in listed:
            marks[i] = listed[b] not in strange


def prepare(kind: str, *files: str) -> None:
    *sources, target = files
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    records = [json.loads(line) for source in sources for line in open(source)]
    ids, ends, positions, learned, marks = [], [0], [], [], []
    for record in records:
        size, position, follows_gap = 0, 0, False
        for text, role in pieces_of(record, kind):
            encoding = tokenizer.encode(text)
            count = len(encoding.ids)
            if role != "skipped":
                size += count
                ids.append(np.array(encoding.ids, dtype=np.uint16))
                positions.append(np.arange(position, position + count, dtype=np.uint16))
                learned.append(np.full(count, role == "learned"))
                # From what comes before a gap, what comes after it cannot be known: learned, it makes questions follow questions.
                learned[-1][:1] &= not follows_gap
                if kind == "pairs":
                    marks.append(marks_of(record, encoding) if role == "given" else np.full(count, IGNORE, dtype=np.int8))
            position += count
            follows_gap = role == "skipped"
        ends.append(ends[-1] + size)
    arrays = {"ids": np.concatenate(ids), "positions": np.concatenate(positions), "learned": np.concatenate(learned)}
    np.savez(target, ends=np.array(ends), **arrays, **({"marks": np.concatenate(marks)} if marks else {}))
    print(f"{len(records)} documents, {ends[-1] / 1e6:.1f} M tokens, mean {ends[-1] / len(records):.0f}")


def batches(path: str, lengths: list[int], budget: int, seed: int) -> Iterator[tuple[torch.Tensor, ...]]:
    """Endless (ids, positions, targets, marks), each [budget // length, length]: whole documents of similar length, one a row, padded.

    Few fixed lengths keep compiled shapes few. Rows never hold two documents, so nothing attends across documents.
    Targets are the next tokens, IGNORE where nothing is learned; marks are those of `marks_of`.
    """
    data = np.load(path)
    ids, ends, positions, learned = (data[name] for name in ("ids", "ends", "positions", "learned"))
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
            targets, marks, places = np.full_like(rows, IGNORE), np.full_like(rows, IGNORE), np.zeros_like(rows)
            for row, d in enumerate(waiting[length]):
                own = slice(ends[d], ends[d + 1])
                size = sizes[d]
                rows[row, :size], places[row, :size], marks[row, :size] = ids[own], positions[own], all_marks[own]
                targets[row, : size - 1] = np.where(learned[own], rows[row, :size], IGNORE)[1:]
            waiting[length] = []
            yield tuple(map(torch.from_numpy, (rows, places, targets, marks)))


if __name__ == "__main__":
    prepare(*sys.argv[1:])
