"""Writes what Python's jinja2, set up as transformers does for chat templates, makes of templates.

    npm ci && pip install transformers jinja2 && python gpu-backend/scripts/templates.py

Writes gpu-backend/fixtures/templates.json:
- conversations, with the tokens that templates name, and for each published template of the development dependency @huggingface/ollama-utils what each of them
  becomes: the first half of the text's SHA-256, or an error;
- snippets: small templates for each part of the language, which all have the same variables, with the text or the error.
An error is Jinja's message, or null for what Python itself refuses.
"""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path

from jinja2.exceptions import TemplateError
from transformers.utils import chat_template_utils

from template_snippets import SNIPPETS, VARIABLES

ROOT = Path(__file__).resolve().parent.parent.parent
PUBLISHED = ROOT / "node_modules/@huggingface/ollama-utils/src/chat-template-automap.ts"
TO = ROOT / "gpu-backend/fixtures/templates.json"
ENTRY = re.compile(r"""gguf:\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


class Now(datetime):
    """A day whose number and month have one digit, in the afternoon."""

    @classmethod
    def now(cls, tz=None):
        return cls(2025, 3, 4, 15, 6, 7)


CODE = "    def f(x):\n        return x\n\n\tend  "
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather <now> & \"here\"",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Zürich", "東京"]}}, "required": ["city"]},
    },
}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def system(content):
    return {"role": "system", "content": content}


CONVERSATIONS = [
    {"messages": [user("Hi")], "add_generation_prompt": True},
    {"messages": [user("Hi")]},
    {"messages": [system("Be brief."), user("  What is 6×14? \n")], "add_generation_prompt": True},
    {"messages": [user("a"), assistant(CODE), user(CODE)], "add_generation_prompt": True},
    {"messages": [system(""), user(""), assistant(""), user("")], "add_generation_prompt": True},
    {"messages": [user("naïve 🙂 日本語 \u2028 {{ x }} {% y %}"), assistant("</s> 🙂"), user("é\r\nü")], "add_generation_prompt": True},
    {"messages": [user("a"), assistant("<think>\nhm\n\n</think>\n\n    84"), user("b")], "add_generation_prompt": True},
    {"messages": [user("a"), assistant("84", reasoning_content="\n  thought\n")]},
    {"messages": [user("a"), assistant("b", reasoning_content="why"), user("c"), assistant("  d", reasoning_content=" e ")]},
    {"messages": [user("a")], "add_generation_prompt": True, "enable_thinking": False},
    {"messages": [user("a")], "add_generation_prompt": True, "enable_thinking": True, "thinking": True},
    {"messages": [user(f"q{i}") if i % 2 == 0 else assistant(f"a{i}") for i in range(9)], "add_generation_prompt": True},
    {"messages": [assistant("first")]},
    {"messages": [user("a"), user("b")], "add_generation_prompt": True},
    {"messages": [user("a"), system("late"), assistant("b")]},
    {"messages": [system("one"), system("two"), user("a")], "add_generation_prompt": True},
    {"messages": [{"role": "other", "content": "x"}]},
    {"messages": [], "add_generation_prompt": True},
    {"messages": [system("s"), user("Weather?")], "tools": [TOOL], "add_generation_prompt": True},
]
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


def render(template, variables):
    try:
        return {"text": chat_template_utils._compile_jinja_template(template).render(**variables)}
    except TemplateError as error:
        return {"error": error.message}
    except Exception:
        return {"error": None}


def rendering(template, conversation):
    made = render(template, {"tools": None, "documents": None, **TOKENS, "add_generation_prompt": False, **conversation})
    if "text" not in made:
        return made
    return hashlib.sha256(made["text"].encode("utf-8", "surrogatepass")).hexdigest()[:32]


def text_of(literal):
    """The string that a literal of JavaScript is."""
    if literal[0] == "'":
        literal = '"' + literal[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    return json.loads(literal)


def lines(items):
    return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in items) + "\n]"


def main():
    chat_template_utils.datetime = Now
    published = dict.fromkeys(text_of(literal) for literal in ENTRY.findall(PUBLISHED.read_text("utf-8")))
    renderings = [[rendering(template, conversation) for conversation in CONVERSATIONS] for template in published]
    snippets = [{"template": template, **render(template, VARIABLES)} for template in SNIPPETS]
    lists = {"conversations": CONVERSATIONS, "renderings": renderings, "snippets": snippets}
    parts = [f'"{name}": {lines(items)}' for name, items in lists.items()]
    variables = json.dumps({"tokens": TOKENS, "variables": VARIABLES}, ensure_ascii=False)[1:-1]
    TO.write_text("{\n" + ",\n".join([variables, *parts]) + "\n}\n", "utf-8")
    print(f"{len(renderings)} published templates, {len(snippets)} snippets")


if __name__ == "__main__":
    main()
