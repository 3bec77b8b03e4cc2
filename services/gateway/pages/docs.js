"use strict";
/* Reads /openapi.json and makes the page of it: each call with its contract and a form that sends it. Nothing comes from elsewhere; the token is a value
 * of the page's one field, in no storage and no cookie. Text of the contract and of answers gets in as text only, never as HTML. */

const METHODS = ["get", "post", "put", "patch", "delete"];
const LABEL = { delete: "DEL" };
const SHOWN_HEADERS = ["location", "etag", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id", "x-process-time"];
const HIGHLIGHTED_MAX = 200_000; // characters; more is shown plain
const SHOWN_MAX = 2_000_000;
const NESTED_MAX = 4; // levels of a body's table

const byId = id => document.getElementById(id);
const token = byId("token");
const lastIds = new Map(); // path template -> the id that a Location named last
let api;

/* make("p.hint", "text", child, ...): an element with a class, and what stands in it. */
function make(what, ...inside) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  element.append(...inside.filter(one => one !== null && one !== undefined && one !== ""));
  return element;
}

/* Follows "#/components/schemas/X". */
function resolve(node) {
  if (!node || !node.$ref) return node || {};
  return resolve(node.$ref.split("/").slice(1).reduce((at, key) => at[key.replace(/~1/g, "/").replace(/~0/g, "~")], api));
}

/* The contract in words. */

const typesOf = schema => [].concat(schema.type || []);
const jsonSchemaOf = content => content && resolve((content["application/json"] || content["application/problem+json"] || {}).schema);

function range(low, high, unit) {
  if (low === undefined && high === undefined) return "";
  const words = low === undefined ? `at most ${high}` : high === undefined ? `at least ${low}` : low === high ? `exactly ${low}` : `${low} to ${high}`;
  return ` ${words}${unit}`;
}

/* "text, 1 to 500 characters": the type of a value and its bounds. A length that the description tells in bytes isn't told twice. */
function bounds(node) {
  const schema = resolve(node);
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const types = typesOf(schema), may = types.includes("null") ? " or null" : "", type = types.find(name => name !== "null");
  if (type === "array") return `list of${range(schema.minItems, schema.maxItems, "")} × ${bounds(schema.items)}${may}`;
  if (type === "string") {
    const inBytes = /bytes/.test(schema.description || "");
    const length = inBytes || schema.format === "uuid" ? "" : range(schema.minLength, schema.maxLength, " characters");
    const word = { uuid: "id (UUID)", "date-time": "time (RFC 3339)", "idn-email": "e-mail", email: "e-mail", password: "secret text" }[schema.format] || "text";
    return word + (length && "," + length) + may;
  }
  if (type === "integer" || type === "number") {
    const high = schema.maximum === 4294967295 ? undefined : schema.maximum;
    const above = schema.exclusiveMinimum === undefined ? "" : ` above ${schema.exclusiveMinimum}`;
    return (type === "integer" ? "whole number" : "number") + range(schema.minimum, high, "") + above + may;
  }
  return (type || (schema.properties ? "object" : "any value")) + may;
}

/* Rows for the members of an object, nested ones as "documents[].title". */
function memberRows(node, prefix = "", level = 0) {
  const schema = resolve(node), rows = [];
  for (const [name, member] of Object.entries(schema.properties || {})) {
    const path = prefix + name, told = resolve(member);
    rows.push({ name: path, required: (schema.required || []).includes(name), schema: told });
    if (level >= NESTED_MAX) continue;
    if (told.properties) rows.push(...memberRows(told, path + ".", level + 1));
    if (told.items && resolve(told.items).properties) rows.push(...memberRows(told.items, path + "[].", level + 1));
  }
  return rows;
}

function contractTable(rows, marksRequired) {
  const table = make("table", make("tbody"));
  for (const row of rows) {
    const about = [row.about || row.schema.description, row.schema.default === undefined ? "" : `Default: ${JSON.stringify(row.schema.default)}.`];
    table.tBodies[0].append(make("tr",
      make("td", make("code", row.name), marksRequired && row.required ? make("span.must", " required") : ""),
      make("td", make("span.bounds", bounds(row.schema)), make("span.about", about.filter(Boolean).join(" ")))));
  }
  return table;
}

const statusClass = status => status < 300 ? "good" : status < 400 ? "other" : "bad";

/* What a call answers: its own first; what any call may answer folded away. */
function answers(call) {
  const own = make("tbody"), common = make("tbody");
  for (const [status, node] of Object.entries(call.responses || {})) {
    const row = make("tr", make("td", make(`span.chip.${statusClass(status)}`, status)), make("td", resolve(node).description || ""));
    (node.$ref && !["401", "404", "412"].includes(status) ? common : own).append(row);
  }
  const box = make("div", make("table.status", own));
  const [, success] = Object.entries(call.responses || {}).find(([status]) => status < 300) || [];
  const schema = jsonSchemaOf(resolve(success).content);
  if (schema && schema.properties) box.append(make("h3", "Members of the answer"), contractTable(memberRows(schema), false));
  if (common.rows.length)
    box.append(make("details.more", make("summary", `${common.rows.length} refusals that most calls share`), make("table.status", common)));
  return box;
}

/* A value that shows the shape of a schema: what is required, and what has an example. */
function example(node, level = 0) {
  const schema = resolve(node), type = typesOf(schema)[0];
  if (schema.examples) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (level > NESTED_MAX) return null;
  if (schema.properties) {
    const wanted = Object.entries(schema.properties).filter(([name, member]) => (schema.required || []).includes(name) || resolve(member).examples);
    return Object.fromEntries(wanted.map(([name, member]) => [name, example(member, level + 1)]));
  }
  if (type === "array") return [example(schema.items, level + 1)];
  return { integer: schema.minimum || 1, number: 0.5, boolean: true, string: "text", object: {} }[type] ?? null;
}

/* Trying a call. */

/* The request that the form stands for. */
function requestOf(trial) {
  const query = new URLSearchParams(), headers = {};
  let url = trial.path;
  for (const { parameter, input } of trial.inputs) {
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value !== "" && parameter.in === "query") query.append(parameter.name, input.value);
    else if (input.value !== "") headers[parameter.name] = input.value;
  }
  if (trial.body) headers["Content-Type"] = "application/json";
  if (query.size) url += "?" + query;
  return { url, headers, body: trial.body ? trial.body.value : undefined };
}

const quoted = text => `'${text.replace(/'/g, `'\\''`)}'`;

/* The same for a shell. The token is named, not shown: what is copied ends up in histories. */
function curlOf(trial) {
  const { url, headers, body } = requestOf(trial);
  const words = ["curl -i", ...(trial.method === "get" || (trial.method === "post" && body !== undefined) ? [] : [`-X ${trial.method.toUpperCase()}`]),
    quoted(location.origin + url)];
  if (trial.needsToken) words.push(`-H "Authorization: Bearer $TOKEN"`);
  for (const [name, value] of Object.entries(headers)) words.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) words.push(`-d ${quoted(body)}`);
  return words.join(" \\\n  ");
}

/* JSON text as coloured spans. */
function highlighted(text) {
  const pre = make("pre");
  const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
  let end = 0;
  for (const found of text.matchAll(pattern)) {
    pre.append(text.slice(end, found.index), make(found[2] ? "span.key" : found[1] ? "span.text" : found[3] ? "span.number" : "span.word", found[1] || found[0]));
    end = found.index + (found[1] || found[0]).length;
  }
  pre.append(text.slice(end));
  return pre;
}

/* Indents JSON without parsing it into values: numbers beyond 2^53 stay as they were written. */
function indented(text) {
  let out = "", level = 0;
  const line = () => "\n" + "  ".repeat(level);
  for (const [word] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (word === "{" || word === "[") { level++; out += word + line(); }
    else if (word === "}" || word === "]") { level--; out += line() + word; }
    else out += word === "," ? "," + line() : word === ":" ? ": " : word;
  }
  return out;
}

function shownBody(response, text) {
  if (text === "") return "";
  const cut = text.length > SHOWN_MAX ? text.slice(0, SHOWN_MAX) + `\n… and ${text.length - SHOWN_MAX} characters more` : text;
  const isJson = /json/.test(response.headers.get("content-type") || "");
  return isJson && text.length <= HIGHLIGHTED_MAX ? highlighted(indented(text)) : make("pre", cut);
}

/* What an answer teaches the page: a new token, who it is, the id of what was made. */
function learn(trial, response, text) {
  if (!response.ok || text === "" || text.length > HIGHLIGHTED_MAX) return;
  let answer;
  try { answer = JSON.parse(text); } catch { return; }
  if (typeof answer.token === "string") {
    token.value = answer.token;
    showWho(answer.user && answer.user.email);
  }
  const made = response.headers.get("location");
  for (const path of made ? Object.keys(api.paths) : []) {
    const found = made.match(new RegExp("^" + path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[^}]+\}/, "([^/]+)") + "$"));
    if (found && found[1]) rememberId(path, decodeURIComponent(found[1]));
  }
}

function rememberId(path, id) {
  lastIds.set(path, id);
  for (const input of document.querySelectorAll("input[data-path]"))
    if (input.dataset.path === path && (input.value === "" || input.dataset.filled === input.value)) input.value = input.dataset.filled = id;
}

async function send(trial) {
  const { url, headers, body } = requestOf(trial);
  headers.Accept = "application/json, application/problem+json;q=0.9, */*;q=0.1";
  if (token.value.trim()) headers.Authorization = "Bearer " + token.value.trim();
  const began = performance.now();
  trial.button.disabled = true;
  trial.out.replaceChildren(make("p", "Sent; waiting for the answer…"));
  trial.out.hidden = false;
  try {
    const response = await fetch(url, { method: trial.method.toUpperCase(), headers, body, credentials: "omit", cache: "no-store", redirect: "error" });
    const text = await response.text();
    const ms = Math.round(performance.now() - began);
    const lines = SHOWN_HEADERS.filter(name => response.headers.has(name)).map(name => `${name}: ${response.headers.get(name)}`);
    trial.out.replaceChildren(make("p", make(`span.chip.${statusClass(response.status)}`, `${response.status} ${response.statusText}`), make("span", `${ms} ms here`)),
      make("pre.headers", lines.join("\n")), shownBody(response, text));
    learn(trial, response, text);
  } catch (error) {
    trial.out.replaceChildren(make("p", make("span.chip.bad", "No answer"), `The call didn’t get through: ${error.message}`));
  } finally {
    trial.button.disabled = false;
  }
}

/* Forms. */

let fields = 0;

function field(box, name, hint, tag) {
  const input = make(tag || "input");
  input.id = `field-${fields++}`;
  Object.assign(input, { spellcheck: false, autocomplete: "off" });
  const label = make("label", name, hint ? make("i", " " + hint) : "");
  label.htmlFor = input.id;
  box.append(label, input);
  return input;
}

function parameterField(box, trial, parameter) {
  const input = field(box, parameter.name, parameter.required ? "required" : "");
  if (parameter.in === "path") {
    input.required = true;
    input.dataset.path = trial.path;
    input.value = input.dataset.filled = lastIds.get(trial.path) || "";
  } else if (parameter.schema && parameter.schema.default !== undefined) input.placeholder = parameter.schema.default;
  trial.inputs.push({ parameter, input });
}

function tryForm(trial, parameters, bodySchema) {
  const form = make("form", make("h3", "Try it")), folded = parameters.filter(parameter => parameter.in === "header");
  form.autocomplete = "off";
  for (const parameter of parameters) if (parameter.in !== "header") parameterField(form, trial, parameter);
  if (bodySchema) {
    trial.body = field(form, "Body", "JSON; Ctrl+Enter sends", "textarea");
    trial.body.value = JSON.stringify(example(bodySchema), null, 2);
    trial.body.rows = Math.min(16, trial.body.value.split("\n").length + 1);
    trial.body.addEventListener("keydown", event => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  }
  if (folded.length) {
    const more = make("details.more", make("summary", "Headers"));
    for (const parameter of folded) parameterField(more, trial, parameter);
    form.append(more);
  }
  trial.button = make("button", "Send");
  trial.out = make("div.answer");
  trial.out.hidden = true;
  trial.out.setAttribute("role", "status");
  const curl = make("details.more", make("summary", "As curl"), make("pre"));
  curl.addEventListener("toggle", () => { curl.lastChild.textContent = curlOf(trial); });
  form.addEventListener("input", () => { if (curl.open) curl.lastChild.textContent = curlOf(trial); });
  form.addEventListener("submit", event => { event.preventDefault(); send(trial); });
  form.append(make("div.go", trial.button, trial.needsToken ? "with the token above" : ""), curl, trial.out);
  return form;
}

/* The page. */

function fill(box, { method, path, call, shared }) {
  const parameters = [...(shared || []), ...(call.parameters || [])].map(resolve);
  const bodySchema = jsonSchemaOf((resolve(call.requestBody) || {}).content);
  const contract = make("div");
  const rowsIn = where => parameters.filter(parameter => parameter.in === where)
    .map(parameter => ({ ...parameter, schema: resolve(parameter.schema), about: parameter.description }));
  const taken = (title, where) => {
    if (rowsIn(where).length) contract.append(make("h3", title), contractTable(rowsIn(where), true));
  };
  if (call.description) contract.append(make("p", call.description));
  taken("In the path", "path");
  taken("In the query", "query");
  if (bodySchema) contract.append(make("h3", "Body"), contractTable(memberRows(bodySchema), true));
  if (rowsIn("header").length)
    contract.append(make("details.more", make("summary", `${rowsIn("header").length} headers that it heeds`), contractTable(rowsIn("header"), true)));
  contract.append(make("h3", "Answers"), answers(call));
  box.append(contract, tryForm({ method, path, inputs: [], needsToken: (call.security || []).length > 0 }, parameters, bodySchema));
}

function callBox(one) {
  const { method, path, call } = one, inside = make("div.inside");
  const details = make("details.call", make("summary", make(`span.method.${method}`, LABEL[method] || method.toUpperCase()), make("code", path),
    make("span.says", call.summary || ""), (call.security || []).length ? "" : make("span.open", "no token needed")), inside);
  details.id = call.operationId;
  details.addEventListener("toggle", () => { if (details.open && !inside.firstChild) fill(inside, one); });
  return details;
}

function openNamed() {
  const details = byId(decodeURIComponent(location.hash.slice(1)));
  if (details && details.matches("details.call")) {
    details.open = true;
    details.firstChild.focus({ preventScroll: true });
    details.scrollIntoView();
  }
}

function show() {
  const groups = new Map((api.tags || []).map(tag => [tag.name, []]));
  for (const [path, item] of Object.entries(api.paths || {}))
    for (const method of METHODS.filter(name => item[name])) {
      const call = item[method], group = (call.tags || ["operations"])[0];
      groups.set(group, [...(groups.get(group) || []), { method, path, call, shared: item.parameters }]);
    }
  byId("version").textContent = api.info.version;
  byId("about").textContent = api.info.description;
  byId("loading").remove();
  for (const [group, calls] of groups) {
    byId("calls").append(make("h2", group), ...calls.map(callBox));
    byId("index").append(make("h2", group), ...calls.map(({ method, path, call }) => {
      const link = make("a", make(`span.method.${method}`, LABEL[method] || method.toUpperCase()), path);
      link.href = "#" + call.operationId;
      link.addEventListener("click", () => { if (link.hash === location.hash) openNamed(); });
      return link;
    }));
  }
  openNamed();
}

function showWho(email) {
  byId("who").textContent = token.value.trim() ? (email ? `logged in as ${email}` : "token set") : "no token";
  byId("who").classList.toggle("known", token.value.trim() !== "");
}

token.addEventListener("input", () => showWho());
byId("session").addEventListener("submit", event => event.preventDefault());
byId("forget").addEventListener("click", () => { token.value = ""; showWho(); token.focus(); });
addEventListener("hashchange", openNamed);
if (matchMedia("(max-width: 48rem)").matches) byId("menu").open = false;
fetch("/openapi.json").then(answer => answer.json()).then(json => { api = json; show(); })
  .catch(error => { byId("loading").textContent = `openapi.json can’t be read: ${error.message}`; });
