"""Trains the byte-level BPE tokenizer that the three demo models share.

    node ../dataset/write.ts --kind corpus --count 6000 --out corpus.txt
    python tokenizer.py corpus.txt ../models/draft ../models/target ../models/judge
"""

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

VOCABULARY = 1280

# Qwen2's pattern: digits one by one; punctuation takes the line breaks after it, so ".\n\n" can be one token.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
THINK = ["<think>", "</think>"]

CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}"
)


def train(corpus: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    size = VOCABULARY - len(CONTROL) - len(THINK)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    # Whole documents, not lines: blank lines must be seen.
    texts = Path(corpus).read_text().split("\0")
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in CONTROL])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in THINK])
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    added = {
        str(tokenizer.token_to_id(token)): {
            "content": token, "lstrip": False, "normalized": False, "rstrip": False,
            "single_word": False, "special": token in CONTROL,
        }
        for token in CONTROL + THINK
    }  # fmt: skip
    config = {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "bos_token": None,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "model_max_length": 4096,
        "pad_token": "<|endoftext|>",
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    corpus, *folders = sys.argv[1:]
    tokenizer = train(corpus)
    # The judge's verdict must be its first token, and any text must survive.
    for verdict in ("aligned", "unaligned"):
        assert len(tokenizer.encode(verdict).ids) == 1, verdict
    for text in ("Größe 東京 🙂\t\r\n x ", "6×14=84.\n\n</think>\n\n\\boxed{84}"):
        assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text
    for folder in folders:
        save(tokenizer, Path(folder))
    print(f"{tokenizer.get_vocab_size()} tokens")
