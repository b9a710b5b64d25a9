// Talks to a server with one of the official TypeScript clients about everything that this client knows.
//
//     node talk.mjs PACKAGES v1|v2 legacy|2026-07-28 TARGET PROJECT
//
// TARGET is {"url": ..., "cut": true when a stream is cut} or {"command": ..., "args": ...}.
// PACKAGES is the folder with node_modules, PROJECT the server's project folder, in which a tool is added.
// Every subject that went well is a line of stdout; the first that does not ends the program.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [packages, generation, mode, how, project] = process.argv.slice(2);
const place = createRequire(path.join(packages, "package.json"));
const load = (name) => import(pathToFileURL(place.resolve(name)));
const modern = mode !== "legacy";
const old = generation === "v1";
const target = JSON.parse(how);

const base = old ? "@modelcontextprotocol/sdk/client/index.js" : "@modelcontextprotocol/client";
const { Client } = await load(base);
const { StdioClientTransport } = await load(old ? "@modelcontextprotocol/sdk/client/stdio.js" : `${base}/stdio`);
const { StreamableHTTPClientTransport } = await load(old ? "@modelcontextprotocol/sdk/client/streamableHttp.js" : base);
const types = old ? await load("@modelcontextprotocol/sdk/types.js") : null;

const options = { capabilities: { elicitation: {}, sampling: {}, roots: {} } };
if (!old) options.versionNegotiation = { mode: modern ? { pin: mode } : "legacy" };
const client = new Client({ name: "talk", version: "1" }, options);
const errors = [];
client.onerror = (error) => errors.push(error);

const handlers = {
  "elicitation/create": () => ({ action: "accept", content: { name: "Ada" } }),
  "sampling/createMessage": () => ({ role: "assistant", model: "m", content: { type: "text", text: "of the model" } }),
  "roots/list": () => ({ roots: [{ uri: "file:///a" }] }),
};
const v1 = old && {
  "elicitation/create": types.ElicitRequestSchema,
  "sampling/createMessage": types.CreateMessageRequestSchema,
  "roots/list": types.ListRootsRequestSchema,
  "notifications/tools/list_changed": types.ToolListChangedNotificationSchema,
  "notifications/message": types.LoggingMessageNotificationSchema,
};
for (const [method, handler] of Object.entries(handlers)) {
  client.setRequestHandler(old ? v1[method] : method, async () => handler());
}
const heard = { "notifications/tools/list_changed": [], "notifications/message": [] };
const waiting = [];
for (const method of Object.keys(heard)) {
  client.setNotificationHandler(old ? v1[method] : method, (notification) => {
    heard[method].push(notification.params);
    waiting.splice(0).forEach((wake) => wake());
  });
}
async function until(condition) {
  while (!condition()) await new Promise((wake) => waiting.push(wake));
}

const call = (name, args = {}, more = {}) =>
  old ? client.callTool({ name, arguments: args }, undefined, more) : client.callTool({ name, arguments: args }, more);
async function text(name, args, more) {
  const result = await call(name, args, more);
  assert.ok(!result.isError, JSON.stringify(result));
  return result.content[0].text;
}
// A call that is answered when all of its progress was heard.
async function progressOf(n) {
  const steps = [];
  const file = path.join(project, `heard-${n}`);
  const onprogress = (step) => {
    steps.push([step.progress, step.total, step.message]);
    if (step.progress === n) fs.writeFileSync(file, "");
  };
  assert.equal(await text("steps", { n, heard: file }, { onprogress }), "done");
  return steps;
}
async function subject(name, talk) {
  await talk();
  console.log(name);
}

const transport = target.url
  ? new StreamableHTTPClientTransport(new URL(target.url))
  : new StdioClientTransport({ ...target, stderr: "inherit" });
await subject("connect", async () => {
  await client.connect(transport);
  const version = old ? transport.protocolVersion : client.getNegotiatedProtocolVersion();
  if (target.url || !old) assert.equal(version, modern ? mode : "2025-11-25");
  assert.equal(client.getServerVersion().name, "mxcp");
});
await subject("tools", async () => {
  const tools = Object.fromEntries((await client.listTools()).tools.map((tool) => [tool.name, tool]));
  assert.equal(Object.keys(tools).length, 10);
  assert.equal(tools.add.inputSchema.properties.b.default, 1);
  assert.deepEqual(tools.people.outputSchema.required, ["result"]);
});
await subject("calls", async () => {
  // The client checks structured content against the schema that was listed.
  const sum = await call("add", { a: 2, b: 3 });
  assert.deepEqual([sum.structuredContent, sum.content], [{ result: 5 }, [{ type: "text", text: "5" }]]);
  const people = (await call("people", { n: 1000 })).structuredContent.result;
  assert.deepEqual([people.length, people[999]], [1000, { id: 999, name: "Person 999" }]);
  assert.equal(await text("greet", { name: "Zoë \u2028 🦆" }), "Hello, Zoë \u2028 🦆!");
  const failed = await call("fails");
  assert.ok(failed.isError && failed.content[0].text.includes("this always fails"));
  const wrong = await call("add", { a: "x" });
  assert.ok(wrong.isError && wrong.content[0].text.includes("a"));
  await assert.rejects(call("nobody"), /nobody/);
  assert.deepEqual((await call("picture")).content.map((block) => block.type), ["text", "image", "resource_link"]);
  const many = await Promise.all(Array.from({ length: 50 }, (_, a) => call("add", { a })));
  assert.deepEqual(many.map((result) => result.structuredContent.result), Array.from({ length: 50 }, (_, a) => a + 1));
});
await subject("resources", async () => {
  const listed = (await client.listResources()).resources.map((resource) => resource.uri);
  assert.deepEqual(listed.sort(), ["docs://hello", "docs://logo"]);
  const [template] = (await client.listResourceTemplates()).resourceTemplates;
  assert.equal(template.uriTemplate, "people://{id}/{part}");
  const [hello] = (await client.readResource({ uri: "docs://hello" })).contents;
  assert.deepEqual(hello, { uri: "docs://hello", mimeType: "text/plain", text: "Hello!" });
  const [logo] = (await client.readResource({ uri: "docs://logo" })).contents;
  assert.equal(Buffer.from(logo.blob, "base64").toString("latin1"), "\x89PNG\r\n\x1a\n");
  const [person] = (await client.readResource({ uri: "people://7/nose" })).contents;
  assert.deepEqual(JSON.parse(person.text), { id: 7, part: "nose" });
  await assert.rejects(client.readResource({ uri: "docs://nothing" }), /nothing/);
});
await subject("prompts", async () => {
  const [letter] = (await client.listPrompts()).prompts;
  assert.deepEqual([letter.name, letter.arguments.map((one) => one.required ?? false)], ["letter", [true, false]]);
  const got = await client.getPrompt({ name: "letter", arguments: { to: "Ada" } });
  assert.deepEqual(got.messages, [{ role: "user", content: { type: "text", text: "Write a warm letter to Ada." } }]);
  await assert.rejects(client.getPrompt({ name: "letter", arguments: {} }), /to/);
});
await subject("completion", async () => {
  const complete = async (ref, name, value) =>
    (await client.complete({ ref, argument: { name, value } })).completion.values;
  const prompt = { type: "ref/prompt", name: "letter" };
  assert.deepEqual(await complete(prompt, "to", "Ad"), ["Ada", "Adele"]);
  assert.deepEqual(await complete(prompt, "tone", "c"), ["cold"]);
  const template = { type: "ref/resource", uri: "people://{id}/{part}" };
  assert.deepEqual(await complete(template, "part", "n"), ["name", "nose", "number"]);
});
await subject("progress", async () => {
  assert.deepEqual(await progressOf(3), [[1, 3, "step 1"], [2, 3, "step 2"], [3, 3, "step 3"]]);
});
if (!modern) {
  await subject("log", async () => {
    await client.setLoggingLevel("info");
    heard["notifications/message"].length = 0;
    await text("steps", { n: 2 });
    await until(() => heard["notifications/message"].length === 2);
    assert.deepEqual(heard["notifications/message"].map((one) => one.data), ["step 1", "step 2"]);
    await client.setLoggingLevel("error");
  });
}
await subject("questions", async () => {
  assert.equal(await text("ask_name"), "Hello, Ada!");
  assert.equal(await text("ask_model"), "of the model");
  assert.deepEqual(JSON.parse(await text("ask_roots")), ["file:///a"]);
});
await subject("cancel", async () => {
  const stop = new AbortController();
  const endless = call("endless", {}, { signal: stop.signal });
  assert.equal(await text("add", { a: 1 }), "2");
  stop.abort("enough");
  await assert.rejects(endless);
  assert.equal(await text("add", { a: 2 }), "3");
});
await subject("changes", async () => {
  const subscription = modern ? await client.listen({ toolsListChanged: true }) : null;
  if (modern) assert.deepEqual(subscription.honoredFilter, { toolsListChanged: true });
  const added = "mxcp: 1\ntool: {name: added, source: {code: SELECT 7 AS n}}\n";
  fs.writeFileSync(path.join(project, "tools", "added.yml"), added);
  await until(() => heard["notifications/tools/list_changed"].length > 0);
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  assert.ok(names.includes("added"), names.join());
  assert.deepEqual(JSON.parse(await text("added")), [{ n: 7 }]);
  await subscription?.close();
});
if (target.cut) {
  await subject("resumption", async () => {
    // The relay between us ends the connection after the first event with this total.
    assert.deepEqual((await progressOf(5)).map(([step]) => step), [1, 2, 3, 4, 5]);
  });
}
await subject("close", async () => {
  if (target.url && !modern) await transport.terminateSession();
  await client.close();
});
const unexpected = errors.filter((error) => !/abort|disconnect|terminated|closed/i.test(String(error.message)));
assert.deepEqual(unexpected.map(String), []);
console.log("end");
