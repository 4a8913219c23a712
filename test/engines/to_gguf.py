"""Writes one of the demo models (Qwen3, tied embeddings, byte-level BPE) as a GGUF file in float32: to_gguf.py FOLDER FILE

Our own, since llama.cpp's converter knows tokenizers by a hash of what they do, and not this one: it splits as Qwen2's does.
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import json
import pathlib
import sys

import gguf
import numpy
from safetensors.numpy import load_file

folder, file = pathlib.Path(sys.argv[1]), sys.argv[2]
config, tokenizer, said = (json.loads((folder / name).read_text()) for name in ("config.json", "tokenizer.json", "tokenizer_config.json"))

writer = gguf.GGUFWriter(file, "qwen3")
writer.add_name(folder.name)
writer.add_context_length(config["max_position_embeddings"])
writer.add_embedding_length(config["hidden_size"])
writer.add_block_count(config["num_hidden_layers"])
writer.add_feed_forward_length(config["intermediate_size"])
writer.add_head_count(config["num_attention_heads"])
writer.add_head_count_kv(config["num_key_value_heads"])
writer.add_key_length(config["head_dim"])
writer.add_value_length(config["head_dim"])
writer.add_rope_freq_base(config["rope_theta"])
writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
writer.add_file_type(gguf.LlamaFileType.ALL_F32)

tokens = [f"[UNUSED{i}]" for i in range(config["vocab_size"])]
types = [gguf.TokenType.UNUSED] * len(tokens)
for token, i in tokenizer["model"]["vocab"].items():
    tokens[i], types[i] = token, gguf.TokenType.NORMAL
for added in tokenizer["added_tokens"]:
    tokens[added["id"]] = added["content"]
    types[added["id"]] = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
writer.add_tokenizer_model("gpt2")
writer.add_tokenizer_pre("qwen2")
writer.add_token_list(tokens)
writer.add_token_types(types)
writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]])
writer.add_eos_token_id(config["eos_token_id"])
writer.add_pad_token_id(config["pad_token_id"])
writer.add_add_bos_token(False)
writer.add_chat_template(said["chat_template"])

names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, config["num_hidden_layers"])
for name, weights in load_file(folder / "model.safetensors").items():
    writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), weights.astype(numpy.float32))

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
