"""Plain decoding with transformers and a static cache, at the shape of a config.json, with random weights in bf16: what a GPU
gives without this project. Prints a line of JSON for each way as soon as it is measured.

    python transformers_generate.py FOLDER_WITH_CONFIG [--device cuda] [--context 300] [--new 64] [--texts 1,16]

Exit code 77: torch or transformers is not there.
"""

import argparse
import json
import sys
import time

try:
    import torch
    import transformers
    from transformers import AutoConfig, AutoModelForCausalLM
except ImportError as error:
    print(f"{error}: pip install torch transformers", file=sys.stderr)
    sys.exit(77)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--context", type=int, default=300)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--texts", default="1,16")
    options = parser.parse_args()
    texts = [int(count) for count in options.texts.split(",")]
    config = AutoConfig.from_pretrained(options.folder)
    with torch.device(options.device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    # Compiling takes long, so it comes last: where time runs out, the other figures are there.
    for compiled in [False, True] if options.device == "cuda" else [False]:
        for count in texts:
            tell(model, config, options, count, compiled)


def tell(model, config, options, texts, compiled):
    prompt = torch.randint(0, config.vocab_size, (texts, options.context), device=options.device)

    def seconds(new):
        synchronize(options.device)
        started = time.perf_counter()
        model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            min_new_tokens=new,
            max_new_tokens=new,
            pad_token_id=0,
            cache_implementation="static",
            disable_compile=not compiled,
        )
        synchronize(options.device)
        return time.perf_counter() - started

    # A cache is as long as its text may be, and for each length something may be compiled: hence the warm-up of both.
    whole, part = options.new, options.new // 4
    for new in (whole, part):
        seconds(new)
    # The prompt's prefill, and what a call costs, are in both.
    fastest = [min(seconds(new) for _ in range(3)) for new in (whole, part)]
    per_token = (fastest[0] - fastest[1]) / (whole - part)
    line = {
        "texts": texts,
        "context": options.context,
        "compiled": compiled,
        "tokens/s": round(texts / per_token, 1),
        "ms a token": round(1000 * per_token, 3),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    print(json.dumps(line), flush=True)


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


main()
