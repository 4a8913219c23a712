"""Writes two tiny random sentence encoders, and the embeddings that sentence-transformers makes with them.

    pip install torch transformers sentence-transformers && python gpu-backend/scripts/sentence_encoders.py

Writes gpu-backend/fixtures/sentence-encoders: bert and mpnet as sentence-transformers saves them, and reference.json: the texts,
and for each case the checkpoint, the files that are changed in it, and the token ids and the embedding (fp32) of every text.
Far distances and boundaries between MPNet's buckets are in the long texts.
"""

import base64
import json
import shutil
import string
import tempfile
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizer, MPNetConfig, MPNetModel, MPNetTokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerBase

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "sentence-encoders"
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
POSITIONS = 160

WORDS = (
    "so the total is of and we get in all that left has have each apples shells red white yellow one two times minus "
    "number how many mara tiko she he gives eat answer wait check cafe naive strasse"
).split()
PIECES = [*string.ascii_lowercase, *string.digits, "ing", "ed", "er", "ies"]
MARKS = [*string.punctuation, "×", "−", "“", "”", "…", "日", "本", "語", "κ", "σ", "ο", "é", "\U00020000"]

TEXTS = [
    "We get 12 apples in all.\n\n",
    "So the total is 12 apples.\n\n",
    "So the total is 3 times 12 = 36.",
    "Mara has 36 shells, and Tiko has 35.",
    "",
    "  \t\n ",
    "Café NAÏVE Straße ÉCLAIR e\u0301t\u00e9 \u0130I ΚΌΣΜΟΣ ΣΟΣ",
    "日本語 and 日、本。 \U00020000x \U0001f642",
    "a\x00b\x07c\ufffdd\u200be\u00adf\u00a0g\u3000h\u2028i\x85j\ufeffk",
    "it's \"quoted\" – “so”… (3×12)−4≤$5^2 <x> a_b ~`|",
    "[CLS] so [SEP] the [MASK]  total[PAD] is [UNK] <s> we </s> <pad> get <mask> all",
    "apple" * 19 + " " + "apples" * 17 + " applexs",
    " ".join(f"{i % 10}" for i in range(70)),
    " ".join(WORDS[(7 * i) % len(WORDS)] for i in range(158)),
    " ".join(WORDS[(5 * i) % len(WORDS)] for i in range(400)),
]

OLD_TYPES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]
OLD_POOLING = {"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}

# As today's version saves them, and as older ones did; cased, with accents kept; bare.
CASES: list[tuple[str, dict[str, object]]] = [
    ("bert", {}),
    (
        "bert",
        {
            "modules.json": OLD_TYPES,
            "1_Pooling/config.json": OLD_POOLING,
            "sentence_bert_config.json": {"max_seq_length": 24, "do_lower_case": False},
        },
    ),
    ("bert", {"modules.json": None, "1_Pooling/config.json": None, "sentence_bert_config.json": None}),
    ("mpnet", {}),
    (
        "mpnet",
        {
            "1_Pooling/config.json": {**OLD_POOLING, "pooling_mode_cls_token": False, "pooling_mode_mean_sqrt_len_tokens": True},
            "sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": True},
        },
    ),
]


def vocabulary(special: list[str]) -> dict[str, int]:
    tokens = [*special, *WORDS, *PIECES, *(f"##{piece}" for piece in [*PIECES, "s", "σ", "ο", "é"]), *MARKS]
    return {token: id for id, token in enumerate(dict.fromkeys(tokens))}


def randomise(model: PreTrainedModel) -> PreTrainedModel:
    for name, parameter in model.named_parameters():
        if "LayerNorm.weight" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        else:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.bfloat16()


def save(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, last: list) -> None:
    with tempfile.TemporaryDirectory() as bare:
        randomise(model).save_pretrained(bare)
        tokenizer.save_pretrained(bare)
        transformer = Transformer(bare)
        pooling = Pooling(SHAPE["hidden_size"], "mean")
        SentenceTransformer(modules=[transformer, pooling, *last]).save(str(FOLDER / name), create_model_card=False)


def write_checkpoints() -> None:
    words = vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer = BertTokenizer(vocab=words, do_lower_case=True)
    shape = {"vocab_size": len(words), "max_position_embeddings": POSITIONS, **SHAPE}
    save("bert", BertModel(BertConfig(**shape), add_pooling_layer=False), tokenizer, [])

    words = vocabulary(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"])
    tokenizer = MPNetTokenizer(vocab=words, do_lower_case=False, strip_accents=False, model_max_length=POSITIONS - 2)
    shape = {"vocab_size": len(words), "max_position_embeddings": POSITIONS, **SHAPE}
    save("mpnet", MPNetModel(MPNetConfig(**shape), add_pooling_layer=False), tokenizer, [Normalize()])


def reference(checkpoint: str, changes: dict[str, object]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FOLDER / checkpoint, folder, dirs_exist_ok=True)
        for name, content in changes.items():
            if content is None:
                (Path(folder) / name).unlink()
            else:
                (Path(folder) / name).write_text(json.dumps(content))
        model = SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.float32})
        # Of each alone: padding changes nothing.
        ids = [model.preprocess([text])["input_ids"][0].tolist() for text in TEXTS]
        embeddings = model.encode(TEXTS, normalize_embeddings=True)
    data = base64.b64encode(embeddings.astype("<f4").tobytes()).decode()
    return {"checkpoint": checkpoint, "changes": changes, "ids": ids, "embeddings": data}


def main() -> None:
    torch.manual_seed(13)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    write_checkpoints()
    content = {"texts": TEXTS, "cases": [reference(checkpoint, changes) for checkpoint, changes in CASES]}
    (FOLDER / "reference.json").write_text(json.dumps(content) + "\n")
    print(f"{FOLDER}: {len(CASES)} cases of {len(TEXTS)} texts")


if __name__ == "__main__":
    main()
