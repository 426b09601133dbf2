// The page of the API: finding operations, and sending requests. What comes back is only ever shown
// as text.
"use strict";

const key = document.getElementById("key");
const find = document.getElementById("find");
const found = document.getElementById("found");

find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const operation of document.querySelectorAll(".operation")) {
    const text = operation.querySelector("summary").textContent.toLowerCase();
    operation.hidden = !words.every((word) => text.includes(word));
    shown += operation.hidden ? 0 : 1;
  }
  for (const section of document.querySelectorAll("main > section")) {
    const operations = section.querySelectorAll(".operation");
    section.hidden = words.length > 0 && [...operations].every((operation) => operation.hidden);
  }
  found.textContent = words.length ? `${shown} ${shown === 1 ? "operation" : "operations"}` : "";
});

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    find.focus();
  }
});

// An address with an operation's name opens it.
function reveal() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.matches("details")) {
    target.open = true;
    target.scrollIntoView();
  }
}
window.addEventListener("hashchange", reveal);
reveal();

function address(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("input[data-in]")) {
    if (input.dataset.in === "path") {
      path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    } else if (input.dataset.in === "query" && input.value !== "") {
      query.append(input.name, input.value);
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function request(form) {
  const headers = new Headers();
  if (key.value) headers.set("authorization", `Bearer ${key.value}`);
  for (const input of form.querySelectorAll("input[data-in=header]")) {
    if (input.value !== "") headers.set(input.name, input.value);
  }
  let body;
  const area = form.querySelector("textarea");
  const file = form.querySelector("input[type=file]");
  if (area) {
    headers.set("content-type", area.dataset.type);
    body = area.value;
  } else if (file && file.files.length) {
    if (file.dataset.type.startsWith("multipart/")) {
      body = new FormData();
      body.append("file", file.files[0]);
    } else {
      headers.set("content-type", file.dataset.type);
      body = file.files[0];
    }
  }
  // A key speaks for itself: the session's cookie stays at home.
  return { method: form.dataset.method, headers, body, credentials: key.value ? "omit" : "same-origin" };
}

function show(output, status, good, text) {
  const line = document.createElement("p");
  line.className = good ? "status-good" : "status-bad";
  line.textContent = status;
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  pre.textContent = text;
  output.replaceChildren(line, pre);
  output.hidden = false;
}

async function send(form) {
  const output = form.querySelector("output");
  const url = address(form);
  try {
    const started = performance.now();
    const response = await fetch(url, request(form));
    let text = await response.text();
    const took = Math.round(performance.now() - started);
    if ((response.headers.get("content-type") || "").includes("json")) {
      try {
        text = JSON.stringify(JSON.parse(text), null, 2);
      } catch {
        // Several lines of JSON are shown as they came.
      }
    }
    const names = ["etag", "location", "link", "x-request-id"];
    const headers = names.filter((name) => response.headers.get(name)).map((name) => `${name}: ${response.headers.get(name)}`);
    const head = `${response.status} ${response.statusText} · ${took} ms`;
    show(output, head, response.ok, [`${form.dataset.method} ${url}`, ...headers, "", text].join("\n"));
  } catch (error) {
    show(output, "No answer", false, String(error));
  }
}

for (const form of document.querySelectorAll("form.try")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
