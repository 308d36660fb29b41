/*! Croupier WebFrame 1.0.0 | Apache-2.0 | types: frame.d.ts */

const PROTOCOL = 1;
const WAIT_MS = 20000;
// Options of the page alone. The token travels by message, so that no log, history or Referer holds it.
const KEPT = "server floatTop containerId container token tokenAuth labels realityCheck".split(" ");
const CALLBACKS = { onReady: "ready", onError: "error", onBalance: "balance", onToken: "token", onTokenExpired: "tokenExpired",
  onCashier: "cashier", onExit: "exit" };
const LABELS = { title: "Games", loading: "The games are loading.", failed: "The games could not be loaded. Please reload the page." };

const hex = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const find = (selector) => selector && document.querySelector(selector);
/** Leave the page, but never for `javascript:` or `data:`. */
const go = (url) => {
  const to = new URL(url, location.href);
  if (/^https?:$/.test(to.protocol)) location.assign(to.href);
};

export class WebFrame {
  #options; #origin; #box; #made; #status; #iframe; #timer; #focused; #gone; #undo = [];
  #nonce = hex();
  #handlers = new Map();

  constructor(options = {}) {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    this.#options = { lng: "en", containerId: "tvbet-game", checkAccess: true, ...given };
    for (const [name, event] of Object.entries(CALLBACKS)) if (options[name]) this.on(event, options[name]);
    if (!options.server || !options.clientId) {
      console.warn("WebFrame: `server` and `clientId` are required; nothing is embedded.");
    } else if (document.body) this.mount();
    else document.addEventListener("DOMContentLoaded", () => this.mount(), { once: true });
  }

  /** Put the frame into its container. The constructor has done it already. */
  mount() {
    const { server, clientId, container, containerId, labels } = this.#options;
    if (this.#iframe || this.#gone || !server || !clientId) return this;
    const words = { ...LABELS, ...labels };
    this.#origin = new URL(server, location.href).origin;
    this.#box = container || document.getElementById(containerId);
    if (!this.#box) {
      this.#made = this.#box = document.body.appendChild(document.createElement("div"));
      this.#box.id = containerId;
    }
    this.#status = document.createElement("p");
    this.#status.setAttribute("role", "status");
    this.#status.textContent = words.loading;
    this.#iframe = Object.assign(document.createElement("iframe"), {
      title: words.title, allow: "autoplay; fullscreen", referrerPolicy: "no-referrer", src: this.url,
    });
    this.#iframe.style.cssText = "display:block;width:100%;border:0;height:0";
    this.#box.append(this.#status, this.#iframe);
    this.#timer = setTimeout(() => this.#fail(words.failed), WAIT_MS);
    this.#listen(window, "message", (event) => this.#hear(event));
    this.#listen(window, "resize", () => this.#tellView());
    this.#listen(find(this.#options.scrollContainer) || window, "scroll", () => this.#tellView());
    return this;
  }

  /** The frame's address, as the ancestor built it, and who embeds it. */
  get url() {
    const { server, game_id, page } = this.#options, query = new URLSearchParams();
    for (const [name, value] of Object.entries(this.#options)) {
      if (KEPT.includes(name) || typeof value === "function" || value === false || value == null || value === "") continue;
      query.set(name, value === true ? "1" : value);
    }
    query.set("wf", PROTOCOL + "." + this.#nonce);
    query.set("origin", location.origin);
    const part = game_id ? "game_id/" + encodeURIComponent(game_id) : [].concat(page || []).map(encodeURIComponent).join("/");
    return server + "?" + query + (part && "#/" + part);
  }

  /** Call `handler` for each event of this name; returns a function that ends it. */
  on(event, handler) {
    const all = this.#handlers.get(event) || new Set();
    this.#handlers.set(event, all.add(handler));
    return () => { all.delete(handler); };
  }

  /** Change the player's token (null: a guest), the language, the game, or the reality check, without a reload of the page. */
  update(changes) {
    const { gameId, ...rest } = changes;
    Object.assign(this.#options, rest, gameId !== undefined && { game_id: gameId });
    this.#send("update", changes);
  }

  /** End play: the frame shows the reason and takes no more bets. */
  stop(reason) { this.#send("stop", { reason }); }

  /** The wallet changed outside the games: the frame reads the balance again. */
  refreshBalance() { this.#send("balance"); }

  /** Remove the frame and every trace of it. */
  destroy() {
    this.#gone = true;
    clearTimeout(this.#timer);
    for (const undo of this.#undo.splice(0)) undo();
    this.#status?.remove();
    this.#iframe?.remove();
    this.#made?.remove();
    this.#iframe = null;
    this.#handlers.clear();
    this.#focused?.focus?.();
  }

  #listen(target, type, handler) {
    target.addEventListener(type, handler, { passive: true });
    this.#undo.push(() => target.removeEventListener(type, handler));
  }

  #emit(event, data) {
    for (const handler of [...(this.#handlers.get(event) || [])]) handler(data);
  }

  #send(type, data = {}) {
    this.#iframe?.contentWindow?.postMessage({ webframe: PROTOCOL, nonce: this.#nonce, type, data }, this.#origin);
  }

  #fail(text) {
    this.#status.textContent = text;
    this.#status.setAttribute("role", "alert");
    this.#emit("error", { code: "timeout", message: text });
  }

  /** Believe only our own frame, at the hub's origin, with this frame's nonce. */
  #hear({ source, origin, data }) {
    if (!this.#iframe || source !== this.#iframe.contentWindow || origin !== this.#origin) return;
    if (typeof data === "string") return this.#hearOld(data);
    if (data?.webframe !== PROTOCOL || data.nonce !== this.#nonce) return;
    this.#act(data.type, data.data || {});
  }

  /** The ancestor's messages are JSON text. */
  #hearOld(text) {
    let told;
    try { told = JSON.parse(text); } catch { return; }
    const type = told?.type || Object.keys(told || {})[0];
    const value = told?.value ?? told?.[type];
    if (type === "tvbet_height") this.#act("height", { height: value });
    if (type === "tvbet_scrollto") this.#act("scrollto", { top: value });
  }

  #act(type, data) {
    const { token, tokenAuth, realityCheck, gameAuth, exitUrl } = this.#options;
    if (type === "hello") this.#send("init", { token: token || tokenAuth || null, realityCheck });
    else if (type === "height") this.#iframe.style.height = Math.min(Math.max(+data.height || 0, 0), 20000) + "px";
    else if (type === "scrollto") this.#scrollTo(+data.top || 0);
    else if (type === "ready") this.#ready();
    else if (type === "token") this.#options.token = data.token;
    if (type === "hello" || type === "ready") this.#tellView();
    this.#emit(type, data);
    if (type === "auth" && gameAuth) typeof gameAuth === "function" ? gameAuth(data) : go(gameAuth);
    if (type === "exit" && exitUrl && !this.#handlers.get("exit")?.size) go(exitUrl);
  }

  #ready() {
    clearTimeout(this.#timer);
    this.#status.remove();
    const focused = document.activeElement;
    if (this.#focused || (focused && focused !== document.body && !this.#box.contains(focused))) return;
    this.#focused = focused;
    this.#iframe.focus({ preventScroll: true });
  }

  #above() { return find(this.#options.floatTop)?.offsetHeight || 0; }

  /** Tell the frame how much of the window it may fill, and where it stands. */
  #tellView() {
    if (!this.#iframe) return;
    const above = this.#above(), top = this.#iframe.getBoundingClientRect().top - above;
    this.#send("view", { height: innerHeight - above, top });
    const old = { tvbet_vh: innerHeight - above, tvbet_scroll_position: -top };
    for (const type in old) this.#iframe.contentWindow?.postMessage(JSON.stringify({ type, value: old[type] }), this.#origin);
  }

  #scrollTo(top) {
    const box = find(this.#options.scrollContainer) || window;
    const by = this.#iframe.getBoundingClientRect().top + top - this.#above();
    box.scrollBy({ top: by, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
}

/** `<web-frame server client-id token lng game-id page>`: the same as an element; its events bubble as `webframe-NAME`. */
export class WebFrameElement extends HTMLElement {
  static observedAttributes = ["token", "lng", "game-id"];
  frame = null;

  connectedCallback() {
    this.style.display ||= "block";
    const options = { container: this };
    for (const { name, value } of this.attributes) if (!/^(id|class|style)$/.test(name)) options[name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())] = value || true;
    options.game_id = options.gameId;
    delete options.gameId;
    this.frame = new WebFrame({ ...options, gameAuth: (data) => this.#tell("auth", data) });
    for (const event of Object.values(CALLBACKS)) this.frame.on(event, (data) => this.#tell(event, data));
  }

  disconnectedCallback() {
    this.frame?.destroy();
    this.frame = null;
  }

  attributeChangedCallback(name, before, value) {
    if (before !== value) this.frame?.update({ [name === "game-id" ? "gameId" : name]: value });
  }

  #tell(event, detail) { this.dispatchEvent(new CustomEvent("webframe-" + event, { detail, bubbles: true })); }
}

customElements.get("web-frame") || customElements.define("web-frame", WebFrameElement);

export { WebFrame as TvbetFrame };
