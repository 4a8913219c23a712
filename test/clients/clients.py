"""Python clients of OpenAI's API against a running worker: `npm run clients:python`. By hand:

    npm start                                              # in one shell: a worker at http://127.0.0.1:8787
    python -m venv venv && venv/bin/pip install openai llm
    venv/bin/python test/clients/clients.py [worker URL] [another worker's URL, with nothing behind it]

Prints a line for each thing tried; fails at the first that does not come out as it should.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request
import json

import openai

WORKER = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8787").rstrip("/")
BACKEND = os.environ.get("BACKEND")
QUESTION = "Ann has 144 shells. 2/3 of them are yellow, and 4/8 of the rest are red. How many shells are red?"
MESSAGES = [{"role": "user", "content": QUESTION}]
HOW = {"lookahead": {"mode": "lr+sd", "depth": 4, "verifier": "exact"}}

client = openai.OpenAI(base_url=f"{WORKER}/v1", api_key="none", max_retries=0)
ask = {"model": "target", "messages": MESSAGES, "temperature": 0, "max_tokens": 400, "extra_body": HOW}


def told(what, *seen):
    print(f"{what}:", *seen, flush=True)


def whole():
    answer = client.chat.completions.create(**ask)
    message, usage = answer.choices[0].message, answer.usage
    assert "24" in message.content, message
    assert message.reasoning and message.reasoning == message.reasoning_content, message
    assert usage.completion_tokens_details.reasoning_tokens > 20
    kinds = [event["type"] for event in answer.lookahead["events"]]
    told("whole", repr(message.content), f"{usage.completion_tokens} tokens", f"{kinds.count('step.accepted')} steps kept")
    return message.content


def stream(expected):
    text, thoughts, usage = "", "", None
    options = {"stream_options": {"include_usage": True}}
    for chunk in client.chat.completions.create(**ask, **options, stream=True):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            thoughts += getattr(choice.delta, "reasoning", None) or ""
    assert text == expected and thoughts and usage.completion_tokens > 20
    with client.chat.completions.stream(**ask) as helper:
        assert helper.get_final_completion().choices[0].message.content == expected
    told("stream", f"{len(thoughts)} characters of thoughts, the same answer; the helper too")


def responses(expected):
    options = {"model": "target", "input": QUESTION, "temperature": 0, "max_output_tokens": 400, "extra_body": HOW}
    response = client.responses.create(**options)
    assert response.output_text == expected, response.output_text
    with client.responses.stream(**options) as events:
        kinds = [event.type for event in events]
        assert events.get_final_response().output_text == expected
    with_steps = {**HOW, "include": ["lookahead.events"]}
    more = [event.type for event in client.responses.create(**{**options, "extra_body": with_steps}, stream=True)]
    assert "lookahead:step.drafted" in more
    told("responses", f"{len(kinds)} events, {len(more)} with steps")


def completions():
    text = client.completions.create(model="target", prompt="Step by step:", max_tokens=8, temperature=0).choices[0].text
    told("completions", repr(text))


def models():
    told("models", [model.id for model in client.models.list()], client.models.retrieve("target").id)


def errors():
    try:
        client.chat.completions.create(**ask, tools=[{"type": "function", "function": {"name": "f"}}])
    except openai.BadRequestError as error:
        assert error.param == "tools" and error.request_id
        told("errors", error.status_code, error.code, error.param, error.request_id)
    else:
        raise AssertionError("tools were not refused")
    try:
        client.chat.completions.create(**{**ask, "model": "gpt-5"})
    except openai.NotFoundError as error:
        told("errors", error.status_code, error.code)
    else:
        raise AssertionError("an unknown model was not refused")


def abort():
    endless = {**ask, "temperature": 2, "max_tokens": 1900, "extra_body": {"lookahead": {"mode": "ar"}}}
    with client.chat.completions.create(**endless, stream=True) as chunks:
        for _ in chunks:
            break
    try:
        client.with_options(timeout=1).chat.completions.create(**endless)
    except openai.APITimeoutError:
        pass
    if BACKEND:
        settles(0)
    told("abort", "nothing runs at the backend" if BACKEND else "left; set BACKEND to its URL to see that nothing runs there")


def settles(running):
    """Waits until so many requests run at the backend."""
    started = time.monotonic()
    while json.load(urllib.request.urlopen(f"{BACKEND}/health"))["running"] != running:
        assert time.monotonic() - started < 60, f"there are never {running} requests at the backend"
        time.sleep(0.1)


def retries(url):
    sent = []
    http = openai.DefaultHttpxClient(event_hooks={"request": [sent.append]})
    lonely = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=1, http_client=http)
    started = time.monotonic()
    try:
        lonely.chat.completions.create(**ask)
    except openai.InternalServerError as error:
        assert len(sent) == 2, sent
        told("retries", error.status_code, error.code, f"after {time.monotonic() - started:.1f} s and one more try")
    else:
        raise AssertionError("a worker with nothing behind it answered")


def llm_cli(expected):
    with tempfile.TemporaryDirectory() as folder:
        models = {"lookahead": "target:lr+sd:exact", "plain": "target:ar"}
        entries = [f"- {{model_id: {id}, model_name: '{name}', api_base: '{WORKER}/v1'}}\n" for id, name in models.items()]
        pathlib.Path(folder, "extra-openai-models.yaml").write_text("".join(entries))
        env = {**os.environ, "LLM_USER_PATH": folder}

        def command(model, more, **options):
            program = pathlib.Path(sys.executable).with_name("llm")
            chosen = [word for name, value in options.items() for word in ("-o", name, str(value))]
            return {"args": [program, "-m", model, "--key", "none", *chosen, *more, QUESTION], "env": env}

        for more in ([], ["--no-stream"]):
            asked = command("lookahead", more, temperature=0, max_tokens=400)
            done = subprocess.run(**asked, capture_output=True, text=True, check=True)
            assert expected in done.stdout, done
        told("llm", repr(done.stdout.strip()[-60:]))
        refused = subprocess.run(**command("lookahead", [], presence_penalty=1), capture_output=True, text=True)
        assert refused.returncode != 0 and "presence_penalty" in refused.stderr, refused
        told("llm", "refused:", repr(refused.stderr.strip()[:80]))
        for more in ([], ["--no-stream"]) if BACKEND else ():
            with subprocess.Popen(**command("plain", more, temperature=2, max_tokens=1900), stdout=subprocess.DEVNULL) as left:
                settles(1)
                left.kill()
            settles(0)
        told("llm", "left: nothing runs at the backend" if BACKEND else "not left: set BACKEND to its URL for that")


answer = whole()
stream(answer)
responses(answer)
completions()
models()
errors()
abort()
llm_cli(answer)
if len(sys.argv) > 2:
    retries(sys.argv[2].rstrip("/"))
