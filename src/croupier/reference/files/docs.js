// The documentation's script: a filter of pages, buttons that copy code, the chosen language of samples, and the form that tries a call.
// Every page works without it, but for the form.

const find = document.getElementById("find");
if (find) {
  const items = [...document.querySelectorAll("#contents li")];
  find.hidden = false;
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of items) item.hidden = !words.every((word) => item.dataset.words.includes(word));
    for (const group of document.querySelectorAll("#contents section")) group.hidden = !group.querySelector("li:not([hidden])");
    document.getElementById("none").hidden = items.some((item) => !item.hidden);
  });
  const here = document.querySelector("#contents [aria-current]");
  const nav = document.getElementById("contents");
  if (here && nav.scrollHeight > nav.clientHeight) nav.scrollTop = here.offsetTop - nav.clientHeight / 3;
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input:not([type=radio]), textarea")) {
      event.preventDefault();
      find.focus();
    }
  });
}

if (navigator.clipboard) {
  for (const block of document.querySelectorAll("main pre")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.append(button);
  }
}

const languages = [...document.querySelectorAll(".tabs > label")];
const choose = (language) => {
  for (const label of languages) if (label.textContent === language) document.getElementById(label.htmlFor).checked = true;
};
try {
  choose(sessionStorage.getItem("language"));
  for (const label of languages) {
    document.getElementById(label.htmlFor).addEventListener("change", () => {
      sessionStorage.setItem("language", label.textContent);
      choose(label.textContent);
    });
  }
} catch { /* storage is switched off: each set of tabs is chosen alone */ }

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function signed(names, who, secret, body) {
  const at = String(Date.now());
  const id = hex(crypto.getRandomValues(new Uint8Array(16)));
  const bytes = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const told = [...(body === undefined ? [] : [body]), who, at, id].join(".");
  const sign = hex(await crypto.subtle.sign("HMAC", key, bytes.encode(told)));
  return Object.fromEntries([who, at, id, sign].map((part, place) => [names[place], part]));
}

const form = document.querySelector("form.try");
if (form) {
  const told = document.getElementById("try-answer");
  const value = (name) => form.elements[name].value.trim();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told.hidden = false;
    const shown = told.querySelector("code");
    shown.textContent = "…";
    try {
      let path = form.dataset.path;
      const query = new URLSearchParams();
      for (const input of form.querySelectorAll("input[data-place]")) {
        const text = input.value.trim();
        if (input.dataset.place === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(text));
        else if (text) query.set(input.name, text);
      }
      const area = document.getElementById("try-body");
      const body = area ? JSON.stringify(JSON.parse(area.value)) : undefined;
      const headers = body === undefined ? {} : { "Content-Type": "application/json" };
      if (form.dataset.way === "bearer") headers.Authorization = `Bearer ${value("token")}`;
      if (form.dataset.way === "signed") Object.assign(headers, await signed(form.dataset.headers.split(" "), value("counterparty"), value("secret"), body));
      const address = query.size ? `${path}?${query}` : path;
      const answer = await fetch(address, { method: form.dataset.method, headers, body, cache: "no-store", credentials: "omit" });
      const text = await answer.text();
      let pretty = text;
      try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
      const why = ["x-problem", "retry-after"].filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}\n`);
      shown.textContent = `HTTP ${answer.status}\n${why.join("")}\n${pretty}`;
    } catch (problem) {
      shown.textContent = `It was not sent: ${problem.message}`;
    }
  });
}
