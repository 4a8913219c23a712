"""Writes what Python's tokenizers makes of texts, by tokenizers that have every step of the kinds our encoder knows.

    pip install tokenizers==0.23.3 && python gpu-backend/scripts/tokenizer_steps.py

Writes gpu-backend/fixtures/tokenizer-steps: reference.json has a byte-level tokenizer, whose merges go across words so that
every place where a text is split shows, and by name what of it is changed (normalizer, pre_tokenizer, added_tokens,
post_processor) with the ids of each text; members.json is a tokenizer whose words are what JavaScript's objects inherit.
"""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "tokenizer-steps"

# What is white space to Unicode, to JavaScript or to Python, and not to all of them alike.
SPACES = "\t\x0b\x0c\x1c\x1f\x85\xa0\u1680\u180e\u2003\u200b\u2028\u202f\u3000\ufeff"
TEXTS = [
    *(f"a{space}b {space} c{space}" for space in SPACES),
    *(f"{space}<l>{space} a<l>{space}<r>{space}<b>{space}{space}" for space in SPACES),
    "it's  12345 \u0663\u096a\u216b\u00b2\u00bd 7x8",
    "IT'S we'LL don't \u02bcs \u017f'\u017f",
    "def f(x):\n\treturn  x  # \u00fcber\r\n\r\n    pass\n   ",
    "na\u00efve e\u0301\u0323 \u65e5\u672c\u8a9e \U0001f642\u200d\U0001f642 \u0baf\u0bbe",
    "a-b, c... (d) \u201ce\u201d \u2014 $5 + <6> ^ `~",
    "word sword words word_ word1 word\u0301 w\u00f6rd word-word wordword \u00e9word word\u200d",
    "word<l>word<r>word Norm norm NORM normal anorm",
    "<l>x <l <l><l>  <r>  <r> \n\n <b>\n\n<b> \n\n\n <r>\n\n\nend",
    "\u039f\u0394\u039f\u03a3 \u0130I \u00c5ngstr\u00f6m \ufb01 \u2460 $1$&$$",
    " leading and trailing ",
    "constructor __proto__ prototype toString",
    "a\x00b\x07c\ufffdd\u00ade\u200df\ue000g\u202eh \u65e5\u3400\U00020000\U0002f800\u3042\uac00\uff21\ufb01",
    "\u00c9\u01c5\u1e9b\u0323 \u0130 \u03a3\u0391\u03a3 \uac01 \u0928\u093c \u0e33",
    "  ",
    "",
]

# Its byte is left out of the vocabulary, as some are of SmolLM2's.
ABSENT = "\x1d"
TEXTS_WITH_ABSENT = [f"wo{ABSENT}rd{ABSENT} {ABSENT} {ABSENT}12{ABSENT}3"]

ADDED = [
    {"content": "<l>", "lstrip": True, "special": True},
    {"content": "<l>x", "special": True},
    {"content": "<r>", "rstrip": True},
    {"content": "<b>", "lstrip": True, "rstrip": True, "special": True},
    {"content": "\n\n"},
    {"content": "word", "single_word": True},
    {"content": "Norm", "single_word": True, "normalized": True},
    {"content": "$1", "normalized": True},
]


def sequence(kind: str, *steps: object) -> dict:
    return {"type": "Sequence", kind: list(steps)}


def split(pattern: dict, behavior: str, invert: bool = False) -> dict:
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
GPT2 = {**BYTES, "use_regex": True}
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PLAIN = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": None, "lowercase": False}
BERT = {
    "uncased": {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    "cased": {**PLAIN, "clean_text": True},
    "uncased, accents kept": {**PLAIN, "strip_accents": False, "lowercase": True},
    "cased, accents gone": {**PLAIN, "strip_accents": True},
    "chinese": {**PLAIN, "handle_chinese_chars": True},
}
BEHAVIOURS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def before(*steps: object) -> dict:
    return {"pre_tokenizer": sequence("pretokenizers", *steps, BYTES)}


def changes() -> dict[str, dict]:
    """Layouts by name."""
    white = {"Regex": r"[\s-]"}
    return {
        "gpt2": {"pre_tokenizer": GPT2},
        "gpt2, a space before": {"pre_tokenizer": {**GPT2, "add_prefix_space": True}},
        "a space before": {"pre_tokenizer": {**BYTES, "add_prefix_space": True}},
        "qwen": {"normalizer": {"type": "NFC"}, **before(split({"Regex": QWEN}, "Isolated"))},
        "smollm": {"pre_tokenizer": sequence("pretokenizers", {"type": "Digits", "individual_digits": True}, GPT2)},
        "digits": before({"type": "Digits", "individual_digits": False}),
        "punctuation": before({"type": "Punctuation", "behavior": "Isolated"}),
        "punctuation, contiguous": before({"type": "Punctuation", "behavior": "Contiguous"}),
        "whitespace": before({"type": "Whitespace"}),
        "whitespace split": before({"type": "WhitespaceSplit"}),
        "bert": before({"type": "BertPreTokenizer"}),
        "delimiter": before({"type": "CharDelimiterSplit", "delimiter": "-"}),
        **{f"split, {behaviour}": before(split(white, behaviour)) for behaviour in BEHAVIOURS},
        **{f"split at a word, {behaviour}": before(split({"String": "or"}, behaviour)) for behaviour in BEHAVIOURS},
        "kept": before(split({"Regex": r"\w+|[^\w\s]"}, "Removed", invert=True)),
        "kept, isolated": before(split({"Regex": r"\w+"}, "Isolated", invert=True)),
        "strip": {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": True}},
        "strip left": {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": False}},
        "replace": {
            "normalizer": sequence(
                "normalizers",
                {"type": "Replace", "pattern": {"Regex": r"\s{2,}"}, "content": "$1"},
                {"type": "Replace", "pattern": {"String": "."}, "content": "$&"},
            )
        },
        "lowercase": {"normalizer": {"type": "Lowercase"}},
        **{f"bert, {name}": {"normalizer": {"type": "BertNormalizer", **flags}} for name, flags in BERT.items()},
        "strip, then prepend": {
            "normalizer": sequence(
                "normalizers",
                {"type": "Strip", "strip_left": False, "strip_right": True},
                {"type": "Prepend", "prepend": "^"},
            )
        },
        "added": {"added_tokens": ADDED, "pre_tokenizer": GPT2},
        "added, lowercase": {"added_tokens": ADDED, "normalizer": {"type": "Lowercase"}},
        "added, prepend": {"added_tokens": ADDED, "normalizer": {"type": "Prepend", "prepend": "^"}},
    }


def base() -> dict:
    """Its merges make tokens of most neighbours in the texts."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    absent = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(ABSENT)[0][0]
    alphabet = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - {absent})
    neighbours = [text[i : i + 3] for text in TEXTS for i in range(len(text))]
    trainer = trainers.BpeTrainer(vocab_size=1000, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(neighbours, trainer)
    return json.loads(made.to_str())


def with_ids(added: list[dict], vocab: dict[str, int]) -> list[dict]:
    """What the vocabulary has too keeps its id there, the others follow it."""
    neutral = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    ids = dict(vocab)
    for token in added:
        ids.setdefault(token["content"], len(ids))
    return [{"id": ids[token["content"]], **neutral, **token} for token in added]


def members() -> dict:
    """As Llama 3's tokenizers are: whole words are found before merges."""
    names = [
        *("constructor", "prototype", "__proto__", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
        *("toLocaleString", "toString", "valueOf", "__defineGetter__", "__defineSetter__", "__lookupGetter__"),
        "__lookupSetter__",
    ]
    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *names, *(f"\u0120{name}" for name in names)]
    made = Tokenizer(models.BPE({word: id for id, word in enumerate(words)}, [], ignore_merges=True))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\w+|[^\w]"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.normalizer = normalizers.NFC()
    made.decoder = decoders.ByteLevel()
    texts = ['What does "constructor" mean', *names, " ".join(names), "".join(f'"{name}"' for name in names)]
    cases = [{"text": text, "ids": made.encode(text, add_special_tokens=False).ids} for text in texts]
    return {"names": names, "tokenizer": json.loads(made.to_str()), "cases": cases}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    common = base()
    layouts = {}
    for name, change in changes().items():
        if "added_tokens" in change:
            change = {**change, "added_tokens": with_ids(change["added_tokens"], common["model"]["vocab"])}
        made = Tokenizer.from_str(json.dumps({**common, **change}))
        encoded = [made.encode(text, add_special_tokens=False).ids for text in [*TEXTS, *TEXTS_WITH_ABSENT]]
        layouts[name] = {"change": change, "ids": encoded}
    reference = {"tokenizer": common, "texts": [*TEXTS, *TEXTS_WITH_ABSENT], "layouts": layouts}
    (FOLDER / "reference.json").write_text(json.dumps(reference) + "\n")
    (FOLDER / "members.json").write_text(json.dumps(members()) + "\n")


if __name__ == "__main__":
    main()
