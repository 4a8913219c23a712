"""A Qwen3 decoder in PyTorch, with the tensor names of Hugging Face's Qwen3ForCausalLM."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


# Rows longer than this are attended to by the fused operator: at 3,072 tokens it takes a sixth of the time of plain products.
FUSED_FROM = 600


@dataclass
class Config:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    ffn: int
    head_dim: int = 64
    vocabulary: int = 1280
    theta: float = 10000.0
    eps: float = 1e-6
    positions: int = 4096


def rotary(config: Config, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """cos and sin, each [positions, head_dim], in the half-and-half layout of Hugging Face."""
    frequency = config.theta ** (-torch.arange(0, config.head_dim, 2, device=device) / config.head_dim)
    angle = torch.outer(torch.arange(config.positions, device=device), frequency)
    return torch.cat([angle, angle], -1).cos(), torch.cat([angle, angle], -1).sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Cache:
    """Past keys and values of one layer, each [rows, key heads, length, head size], for sampling."""

    def __init__(self) -> None:
        self.length, self.room = 0, None

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Adds those of new tokens; all of them come back. Room is doubled when it is full, so little is copied."""
        past, self.length = self.length, self.length + k.shape[2]
        if self.room is None or self.length > self.room.shape[3]:
            room = torch.empty(2, *k.shape[:2], 2 * self.length, k.shape[3])
            if self.room is not None:
                room[:, :, :, :past] = self.room[:, :, :, :past]
            self.room = room
        self.room[0, :, :, past : self.length], self.room[1, :, :, past : self.length] = k, v
        return self.room[0, :, :, : self.length], self.room[1, :, :, : self.length]

    def keep(self, rows: Tensor) -> None:
        self.room = self.room[:, rows]


class Norm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight).to(x.dtype)


class Attention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.q_proj = nn.Linear(c.hidden, c.heads * c.head_dim, bias=False)
        self.k_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.v_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.o_proj = nn.Linear(c.heads * c.head_dim, c.hidden, bias=False)
        self.q_norm, self.k_norm = Norm(c.head_dim, c.eps), Norm(c.head_dim, c.eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: Cache | None, mask: Tensor | None) -> Tensor:
        batch, length, _ = x.shape
        heads = lambda y: y.view(batch, length, -1, self.c.head_dim)  # noqa: E731
        q = rotate(self.q_norm(heads(self.q_proj(x))).transpose(1, 2), cos, sin)
        k = rotate(self.k_norm(heads(self.k_proj(x))).transpose(1, 2), cos, sin)
        v = heads(self.v_proj(x)).transpose(1, 2)
        if cache is not None:
            k, v = cache.extend(k, v)
        share = self.c.heads // self.c.kv_heads
        if cache is not None and length == 1:  # the query heads of one key head are rows of one product: nothing is repeated
            q = q.view(batch, self.c.kv_heads, share, self.c.head_dim)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            return self.o_proj(y.reshape(batch, 1, -1))
        k, v = k.repeat_interleave(share, 1), v.repeat_interleave(share, 1)
        k, v = k.to(q.dtype), v.to(q.dtype)
        if cache is None and length > FUSED_FROM:
            q, k = q.to(v.dtype), k.to(v.dtype)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        elif cache is None:
            # Plain products: on a CPU in bf16, and for rows as short as these, they are no slower than the fused attention.
            bias = torch.full((length, length), -1e4, dtype=q.dtype, device=q.device).triu(1)
            q, k, v = (t.reshape(-1, length, self.c.head_dim) for t in (q, k, v))
            bias = bias.expand(q.shape[0], -1, -1)
            scores = torch.baddbmm(bias, q, k.transpose(1, 2), alpha=self.c.head_dim**-0.5)
            y = torch.bmm(scores.softmax(-1), v).view(batch, -1, length, self.c.head_dim)
        else:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, -1))


class MLP(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.gate_proj = nn.Linear(c.hidden, c.ffn, bias=False)
        self.up_proj = nn.Linear(c.hidden, c.ffn, bias=False)
        self.down_proj = nn.Linear(c.ffn, c.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.self_attn, self.mlp = Attention(c), MLP(c)
        self.input_layernorm, self.post_attention_layernorm = Norm(c.hidden, c.eps), Norm(c.hidden, c.eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: Cache | None, mask: Tensor | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, cache, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.embed_tokens = nn.Embedding(c.vocabulary, c.hidden)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = Norm(c.hidden, c.eps)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.normal_(p, std=0.02 / (2 * c.layers) ** 0.5)

    def forward(self, ids: Tensor, cos: Tensor, sin: Tensor, caches: list[Cache] | None = None, mask: Tensor | None = None) -> Tensor:
        """Hidden states [batch, length, hidden] for `ids` [batch, length]; multiply by the embedding for logits.

        `cos` and `sin` belong to the positions of `ids`. `caches` holds one `Cache` a layer, extended in place; `mask` is
        [batch, 1, length, past + length], causal where it is None.
        """
        x = self.embed_tokens(ids)
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, None if caches is None else caches[i], mask)
        return self.norm(x)

    def size(self) -> int:
        return sum(p.numel() for p in self.parameters())


def export(model: Model, folder: Path, tokens: dict[str, int]) -> None:
    """Writes config, generation config and fp16 weights; every file is replaced as a whole, so readers never see half of one."""
    c = model.c
    config = {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "torch_dtype": "float16",
        "hidden_size": c.hidden, "num_hidden_layers": c.layers, "num_attention_heads": c.heads,
        "num_key_value_heads": c.kv_heads, "head_dim": c.head_dim, "intermediate_size": c.ffn,
        "vocab_size": c.vocabulary, "max_position_embeddings": c.positions, "rope_theta": c.theta, "rope_scaling": None,
        "rms_norm_eps": c.eps, "hidden_act": "silu", "attention_bias": False, "attention_dropout": 0.0,
        "tie_word_embeddings": True, "use_cache": True, "use_sliding_window": False, "initializer_range": 0.02,
        "bos_token_id": None, "eos_token_id": tokens["<|im_end|>"], "pad_token_id": tokens["<|endoftext|>"],
    }  # fmt: skip
    generation = {
        "do_sample": True, "temperature": 0.6, "top_p": 0.95,
        "eos_token_id": [tokens["<|im_end|>"], tokens["<|endoftext|>"]], "pad_token_id": tokens["<|endoftext|>"],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    weights = {f"model.{name}": p.detach().half().contiguous() for name, p in model.state_dict().items()}
    save_file(weights, folder / ".weights.tmp", metadata={"format": "pt"})
    (folder / ".weights.tmp").chmod(0o644)
    os.replace(folder / ".weights.tmp", folder / "model.safetensors")
    for name, content in (("config.json", config), ("generation_config.json", generation)):
        (folder / ".json.tmp").write_text(json.dumps(content, indent=2) + "\n")
        os.replace(folder / ".json.tmp", folder / name)


def load(folder: Path) -> Model:
    """The model of a folder, in fp32."""
    c = json.loads((folder / "config.json").read_text())
    model = Model(
        Config(
            hidden=c["hidden_size"], layers=c["num_hidden_layers"], heads=c["num_attention_heads"],
            kv_heads=c["num_key_value_heads"], ffn=c["intermediate_size"], head_dim=c["head_dim"],
            vocabulary=c["vocab_size"], theta=c["rope_theta"], eps=c["rms_norm_eps"], positions=c["max_position_embeddings"],
        )  # fmt: skip
    )
    weights = load_file(folder / "model.safetensors")
    model.load_state_dict({name.removeprefix("model."): p.float() for name, p in weights.items()})
    return model
