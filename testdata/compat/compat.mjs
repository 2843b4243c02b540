// Checks that the official OpenAI SDK for Node works with the built-in agent, used the way Swiftask's examples use it.
// run.sh starts the agents and sets the variables.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const { version } = JSON.parse(readFileSync(new URL("node_modules/openai/package.json", import.meta.url)));
const baseURL = process.env.COMPAT_URL;
const client = new OpenAI({ apiKey: "sk-compat", baseURL, maxRetries: 0 });
const model = "invoice-reader";
const document = "Invoice R-88213\n\nSix shelves of oak were delivered on 20 January 2026. The amount of €4,875.90 is due by 3 February 2026.";
const messages = [
  { role: "system", content: "You read invoices." },
  { role: "user", content: document },
];

let passed = 0;
let failed = 0;
async function check(name, run) {
  try {
    await run();
    passed++;
    console.log(`ok      ${name}`);
  } catch (err) {
    failed++;
    console.log(`FAILED  ${name}: ${err.stack ?? err}`);
  }
}

let answer;
await check("chat.completions.create", async () => {
  const completion = await client.chat.completions.create({ model, messages });
  answer = completion.choices[0].message.content;
  assert.match(answer, /^Title: Invoice R-88213\nLanguage: English\nSummary: Six shelves of oak/);
  assert.equal(completion.object, "chat.completion");
  assert.equal(completion.model, model);
  assert.equal(completion.choices[0].message.role, "assistant");
  assert.equal(completion.choices[0].finish_reason, "stop");
  assert.equal(completion.usage.total_tokens, completion.usage.prompt_tokens + completion.usage.completion_tokens);
  assert.match(completion._request_id, /^req_/);
});

await check("stream: true, for await", async () => {
  const stream = await client.chat.completions.create({ model, messages, stream: true });
  let text = "";
  let chunks = 0;
  let reason;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content || "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
    chunks++;
  }
  assert.equal(text, answer);
  assert.equal(reason, "stop");
  assert.ok(chunks > 5, `${chunks} chunks`);
});

await check("stream_options.include_usage", async () => {
  const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
  let last;
  for await (const chunk of stream) last = chunk;
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.completion_tokens > 0);
});

await check("chat.completions.stream(), finalContent", async () => {
  const stream = client.chat.completions.stream({ model, messages });
  let text = "";
  stream.on("content", (delta) => { text += delta; });
  assert.equal(await stream.finalContent(), answer);
  assert.equal(text, answer);
  assert.equal((await stream.finalChatCompletion()).choices[0].finish_reason, "stop");
});

await check("content as a list of parts", async () => {
  const completion = await client.chat.completions.create({ model, messages: [{ role: "user", content: [{ type: "text", text: document }] }] });
  assert.equal(completion.choices[0].message.content, answer);
});

await check("response_format json_object", async () => {
  const completion = await client.chat.completions.create({ model, messages, response_format: { type: "json_object" } });
  assert.equal(JSON.parse(completion.choices[0].message.content).title, "Invoice R-88213");
});

await check("max_tokens", async () => {
  const completion = await client.chat.completions.create({ model, messages, max_tokens: 5 });
  assert.equal(completion.choices[0].finish_reason, "length");
  assert.equal(completion.usage.completion_tokens, 5);
});

await check("models.list", async () => {
  const ids = [];
  for await (const m of client.models.list()) ids.push(m.id);
  assert.deepEqual(ids, ["invoice-reader", "letter-reader"]);
});

await check("models.retrieve", async () => {
  assert.equal((await client.models.retrieve("letter-reader")).id, "letter-reader");
});

await check("wrong key: AuthenticationError", async () => {
  const wrong = new OpenAI({ apiKey: "sk-wrong", baseURL, maxRetries: 0 });
  await assert.rejects(wrong.chat.completions.create({ model, messages }), (err) => {
    assert.ok(err instanceof OpenAI.AuthenticationError, err.constructor.name);
    assert.equal(err.code, "invalid_api_key");
    assert.ok(!err.message.includes("sk-wrong"));
    return true;
  });
});

await check("unknown agent: NotFoundError", async () => {
  await assert.rejects(client.chat.completions.create({ model: "nobody", messages }), (err) => {
    assert.ok(err instanceof OpenAI.NotFoundError, err.constructor.name);
    assert.equal(err.code, "model_not_found");
    return true;
  });
});

await check("no messages: BadRequestError", async () => {
  await assert.rejects(client.chat.completions.create({ model, messages: [] }), (err) => {
    assert.ok(err instanceof OpenAI.BadRequestError, err.constructor.name);
    assert.equal(err.param, "messages");
    return true;
  });
});

await check("over the limit: RateLimitError with Retry-After", async () => {
  const limited = new OpenAI({ apiKey: "any", baseURL: process.env.COMPAT_LIMITED_URL, maxRetries: 0 });
  const asked = [];
  for (let i = 0; i < 3; i++) asked.push(await limited.chat.completions.create({ model, messages }).catch((err) => err));
  assert.equal(asked[1].choices[0].message.content, answer);
  assert.ok(asked[2] instanceof OpenAI.RateLimitError, String(asked[2]));
  assert.equal(asked[2].code, "rate_limit_exceeded");
  const wait = Number(asked[2].headers.get("retry-after"));
  assert.ok(wait > 0 && wait <= 60, `Retry-After ${wait}`);
  assert.equal(asked[2].headers.get("x-ratelimit-limit-requests"), "2");
});

await check("status 500: InternalServerError", async () => {
  const broken = new OpenAI({ apiKey: "any", baseURL: process.env.COMPAT_BROKEN_URL, maxRetries: 0 });
  await assert.rejects(broken.chat.completions.create({ model, messages }), OpenAI.InternalServerError);
});

console.log(`npm openai ${version}, node ${process.versions.node}: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
