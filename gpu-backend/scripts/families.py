"""Writes tiny random checkpoints of the model families beside Qwen3, and the reference values of the numeric tests.

    pip install torch transformers && python gpu-backend/scripts/families.py

Writes gpu-backend/fixtures/families: one folder a checkpoint (config.json, model.safetensors), one tokenizer for all, and
reference.json: for each case the checkpoint, the changes to its config.json, the token ids, and the logits by PyTorch (fp32)
at some positions, late ones too, because scaled rotations differ from plain ones only there.
"""

import base64
import copy
import json
import shutil
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers import LlamaConfig, MistralConfig, PreTrainedConfig, Qwen2Config

FAMILIES = Path(__file__).resolve().parent.parent / "fixtures" / "families"
TOKENS = 200
POSITIONS = [0, 1, 57, 120, TOKENS - 1]

SHAPE = {"vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2, "max_position_embeddings": 256}
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
YARN = {"factor": 4.0, "original_max_position_embeddings": 64}
# A blended range that begins after the first pair, so that its rounding shows.
NARROW = {"beta_fast": 2.0, "beta_slow": 0.5}

# Stored in three types, with heads of 8 and 16 elements, tied and untied, with no biases, some, and all.
CHECKPOINTS: dict[str, tuple[PreTrainedConfig, torch.dtype]] = {
    "qwen2": (
        Qwen2Config(**SHAPE, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2, rope_theta=1e4),
        torch.bfloat16,
    ),
    "llama": (
        LlamaConfig(
            **SHAPE, intermediate_size=56, num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True,
            attention_bias=True, mlp_bias=True, rope_theta=1e4, rope_scaling={"rope_type": "llama3", **LLAMA3},
        ),
        torch.float16,
    ),
    "mistral": (
        MistralConfig(
            **SHAPE, intermediate_size=40, num_attention_heads=3, num_key_value_heads=1, head_dim=16,
            sliding_window=None, rope_theta=1e4,
        ),
        torch.float32,
    ),
}  # fmt: skip

# Other rotations of the same weights, in both spellings that checkpoints use.
CASES: list[tuple[str, dict]] = [
    ("qwen2", {}),
    ("qwen2", {"rope_scaling": {"type": "yarn", **YARN}}),
    ("qwen2", {"rope_scaling": {"type": "yarn", **YARN, "mscale": 1.0, "mscale_all_dim": 0.5, **NARROW, "truncate": False}}),
    ("qwen2", {"rope_scaling": {"type": "yarn", **YARN, "attention_factor": 1.5}}),
    ("llama", {}),
    ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 5e3, "factor": 4.0}}),
    ("llama", {"rope_parameters": None, "rope_theta": 2e3}),
    ("mistral", {}),
    ("mistral", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, **YARN, **NARROW}}),
    ("mistral", {"sliding_window": 256}),
]


def write_tokenizer(folder: Path) -> None:
    """Byte-level, without merges; it has one token for each printable ASCII character."""
    vocab = {chr(byte): byte - 33 for byte in range(33, 127)}
    tokenizer = Tokenizer(models.BPE(vocab, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|end|>"])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>").save_pretrained(folder)


def write_checkpoint(folder: Path, config: PreTrainedConfig, dtype: torch.dtype) -> None:
    model = AutoModelForCausalLM.from_config(config)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        else:
            torch.nn.init.normal_(parameter, std=0.3)
    model.to(dtype).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def reference(checkpoint: str, changes: dict, ids: list[int]) -> dict:
    folder = FAMILIES / checkpoint
    # A copy: transformers completes what it is given.
    stored = copy.deepcopy(json.loads((folder / "config.json").read_text()) | changes)
    config = AutoConfig.for_model(**stored)
    model = AutoModelForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, POSITIONS]
    data = base64.b64encode(logits.contiguous().numpy().astype("<f4").tobytes()).decode()
    return {"checkpoint": checkpoint, "changes": changes, "logits": data}


def main() -> None:
    torch.manual_seed(11)
    shutil.rmtree(FAMILIES, ignore_errors=True)
    write_tokenizer(FAMILIES / "tokenizer")
    for name, (config, dtype) in CHECKPOINTS.items():
        write_checkpoint(FAMILIES / name, config, dtype)
    ids = torch.randint(0, SHAPE["vocab_size"], (TOKENS,)).tolist()
    cases = [reference(checkpoint, changes, ids) for checkpoint, changes in CASES]
    content = {"ids": ids, "positions": POSITIONS, "cases": cases}
    (FAMILIES / "reference.json").write_text(json.dumps(content) + "\n")
    print(f"{FAMILIES}: {', '.join(CHECKPOINTS)}; {len(cases)} cases")


if __name__ == "__main__":
    main()
