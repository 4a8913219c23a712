"""Writes small tokenizers of the kind that SentencePiece made (Llama 2, Mistral), and what Python's tokenizers makes of texts.

    pip install tokenizers && python gpu-backend/scripts/byte_fallback.py

Writes gpu-backend/fixtures/byte-fallback: prepend.json and metaspace.json, the two layouts that such checkpoints have,
words.json, where no token may go on after a word, and reference.json: for each of them and each text the ids, and the text
of these ids.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "byte-fallback"
SPACE = "\u2581"
SPECIAL = ["<s>", "</s>", "[INST]", "[/INST]"]
MERGES = ["t h", "th e", f"{SPACE} the", f"{SPACE} a", "i n", "in g", "a l", f"{SPACE} {SPACE}", "1 2", "a b", f"{SPACE} 1"]
TEXTS = [
    "the thing",
    " the thing",
    "  two  spaces ",
    "al\n\n\tal",
    "12 + 1 = 13",
    "na\u00efve \U0001f642 \u65e5\u672c",
    "<s>[INST] the thing[/INST] a thing</s>",
    "[INST]the[/INST]",
    "a <s> b",
    "<0x41> is spelled out",
    f"{SPACE}ing",
    "[X]the [X] thing",
    "the[X]the",
    " ",
    "",
]

LAYOUTS = ["prepend", "metaspace", "words"]


def tokenizer(layout: str) -> Tokenizer:
    letters = [SPACE, *(chr(code) for code in range(33, 127)), "\u00ef"]
    vocab = {token: id for id, token in enumerate(["<unk>", *SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))])}
    merges = [tuple(merge.split(" ")) for merge in MERGES]
    for token in [*letters, *("".join(merge) for merge in merges)]:
        vocab.setdefault(token, len(vocab))
    made = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if layout == "prepend":
        made.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    else:
        scheme = "always" if layout == "words" else "first"
        made.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, prepend_scheme=scheme, split=layout == "words")
    steps = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    made.decoder = decoders.Sequence(steps)
    made.add_special_tokens(SPECIAL)
    made.add_tokens([AddedToken("[X]", normalized=True)])
    return made


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    reference = {}
    for layout in LAYOUTS:
        made = tokenizer(layout)
        made.save(str(FOLDER / f"{layout}.json"), pretty=False)
        encoded = [made.encode(text, add_special_tokens=False).ids for text in TEXTS]
        reference[layout] = [
            {"text": text, "ids": ids, "decoded": made.decode(ids, skip_special_tokens=False)}
            for text, ids in zip(TEXTS, encoded)
        ]
    (FOLDER / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
