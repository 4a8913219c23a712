"""Writes the reference values that the numeric tests compare with, and the tiny checkpoint they also run.

    pip install torch transformers && python gpu-backend/scripts/reference.py

Run it again whenever a model under gpu-backend/models changes. Writes gpu-backend/fixtures/reference.json (token ids and
logits by PyTorch, fp32) and gpu-backend/fixtures/tiny-qwen3 (random, untied, bf16, in shards).
"""

import base64
import json
import shutil
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "fixtures" / "tiny-qwen3"

CHAT = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}"
)
CONVERSATIONS = [
    [{"role": "user", "content": "Ann has 3 boxes of 12 pens. She gives 7 pens to Bo. How many pens are left?"}],
    [{"role": "user", "content": "Compute 48 + 25, then halve it."}, {"role": "assistant", "content": "It's 36.5 – naïve? 🙂"}],
]


def write_tiny() -> None:
    """A byte-level tokenizer without merges and a random decoder: every reader path that the shipped models leave out."""
    shutil.rmtree(TINY, ignore_errors=True)
    vocab = {token: i for i, token in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([AddedToken(mark, normalized=False) for mark in ("<think>", "</think>")])
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    wrapped.chat_template = CHAT
    wrapped.save_pretrained(TINY)

    torch.manual_seed(7)
    config = Qwen3Config(
        vocab_size=len(wrapped), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=512, rms_norm_eps=1e-5, rope_theta=1e6,
        tie_word_embeddings=False,
    )  # fmt: skip
    model = Qwen3ForCausalLM(config)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        else:
            torch.nn.init.normal_(parameter, std=0.15)
    ids = wrapped.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    model.generation_config.update(eos_token_id=ids, do_sample=True, temperature=0.6, top_p=0.95, top_k=20)
    model.bfloat16().save_pretrained(TINY, max_shard_size="40KB")


def reference(folder: Path) -> list[dict]:
    """Per conversation: the rendered text, its token ids, and the logits at three positions, as base64 of float32."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    cases = []
    for messages in CONVERSATIONS:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        positions = [0, len(ids) // 2, len(ids) - 1]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, positions]
        data = base64.b64encode(logits.contiguous().numpy().astype("<f4").tobytes()).decode()
        cases.append({"messages": messages, "text": text, "ids": ids, "positions": positions, "logits": data})
    return cases


def main() -> None:
    write_tiny()
    folders = {"fixtures/tiny-qwen3": TINY} | {f"models/{name}": ROOT / "models" / name for name in ("draft", "target", "judge")}
    ready = {name: folder for name, folder in folders.items() if list(folder.glob("*.safetensors"))}
    for name in folders.keys() - ready.keys():
        print(f"{name}: no weights, left out")
    file = ROOT / "fixtures" / "reference.json"
    file.write_text(json.dumps({name: reference(folder) for name, folder in ready.items()}, ensure_ascii=False) + "\n")
    print(f"{file}: {', '.join(ready)}")


if __name__ == "__main__":
    main()
