"""Checks that the official OpenAI SDK for Python works with the built-in agent. run.sh starts the agents and sets the variables."""

import os
import sys
import traceback

import openai

MODEL = "invoice-reader"
MESSAGES = [{"role": "user", "content": "Invoice R-88213\n\nSix shelves of oak were delivered on 20 January 2026."}]
client = openai.OpenAI(api_key="sk-compat", base_url=os.environ["COMPAT_URL"], max_retries=0)
results = []


def check(name):
    def run(function):
        try:
            function()
            results.append(True)
            print("ok     ", name)
        except Exception:
            results.append(False)
            print("FAILED ", name)
            traceback.print_exc(file=sys.stdout)

    return run


def raises(kind, call):
    try:
        call()
    except kind as err:
        return err
    raise AssertionError(f"{kind.__name__} was not raised")


def create(by=client, **more):
    return by.chat.completions.create(**{"model": MODEL, "messages": MESSAGES, **more})


@check("chat.completions.create")
def _():
    completion = create()
    assert completion.choices[0].message.content.startswith("Title: Invoice R-88213\nLanguage: English\n"), completion
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens > 0


@check("stream=True")
def _():
    stream = create(stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == create().choices[0].message.content, text
    assert chunks[-1].usage.completion_tokens > 0


@check("models.list")
def _():
    assert [m.id for m in client.models.list()] == ["invoice-reader", "letter-reader"]


@check("wrong key: AuthenticationError")
def _():
    wrong = openai.OpenAI(api_key="sk-wrong", base_url=os.environ["COMPAT_URL"], max_retries=0)
    raises(openai.AuthenticationError, lambda: create(wrong))


@check("unknown agent: NotFoundError")
def _():
    assert raises(openai.NotFoundError, lambda: create(model="nobody")).code == "model_not_found"


@check("over the limit: RateLimitError")
def _():
    limited = openai.OpenAI(api_key="any", base_url=os.environ["COMPAT_LIMITED_URL"], max_retries=0)
    create(limited)
    create(limited)
    err = raises(openai.RateLimitError, lambda: create(limited))
    assert 0 < int(err.response.headers["retry-after"]) <= 60


failed = results.count(False)
print(f"pip openai {openai.__version__}, python {sys.version.split()[0]}: {results.count(True)} passed, {failed} failed")
sys.exit(1 if failed else 0)
