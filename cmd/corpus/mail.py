"""Prints the words of a mail as Python's email package reads it: subject, from, to, and the text parts; HTML only where nothing is plain."""
import email
import mailbox
import re
import sys
from email import policy
from html import unescape


def header(message, name):
    try:
        return str(message.get(name, ""))
    except Exception:  # what a header holds can break its parser
        return ""


def text(part):
    try:
        return part.get_content()
    except Exception:  # an unknown charset or transfer encoding
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def show(message):
    lines = [header(message, name) for name in ("Subject", "From", "To")]
    parts = [p for p in message.walk() if not p.is_multipart() and p.get_content_maintype() == "text"]
    plain = [p for p in parts if p.get_content_subtype() != "html"]
    for part in plain or parts:
        body = text(part)
        if part.get_content_subtype() == "html":
            body = re.sub(r"(?is)<(script|style).*?</\1>|<!--.*?-->", " ", body)
            body = unescape(re.sub(r"<[^>]*>", " ", body))
        lines.append(body)
    return "\n".join(lines)


def messages(path):
    if path.endswith(".mbox"):
        for key in (box := mailbox.mbox(path, create=False)).keys():
            yield email.message_from_bytes(box.get_bytes(key), policy=policy.default)
        return
    with sys.stdin.buffer if path == "-" else open(path, "rb") as file:
        yield email.message_from_bytes(file.read(), policy=policy.default)


for message in messages(sys.argv[1]):
    sys.stdout.buffer.write(show(message).encode("utf-8", "replace") + b"\n")
