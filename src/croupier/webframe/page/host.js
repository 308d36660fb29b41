// The page around the frame: messages to it and from it, in the versioned envelope and in the ancestor's form.
// Never: a message to "*" or from an origin that the casino has not listed. Contract: webframe.md 1.3 and 2.2.

const PROTOCOL = 1;

/** The envelope's version and nonce, the embedding page's origin, and what an old page put into the query. */
export function readQuery(search, origins, ancestor) {
  const query = new URLSearchParams(search);
  const [version, nonce] = (query.get("wf") || "").split(".");
  const told = query.get("origin");
  return {
    nonce: Number(version) === PROTOCOL && /^[0-9a-f]{32}$/.test(nonce || "") ? nonce : null,
    origin: origins.includes(told) ? told : origins.includes(ancestor) ? ancestor : null,
    token: query.get("token") || query.get("tokenAuth") || null,
    code: query.get("code") || null,
    realityCheck: null,
    exitUrl: query.get("exitUrl"),
    gameAuth: query.get("gameAuth"),
    singleGame: query.get("singleGame") === "1",
    noSoon: query.get("nosoon") === "1",
    noJackpot: query.get("nojackpot") === "1",
    tagId: /^[0-9]{1,15}$/.test(query.get("tagId") || "") ? Number(query.get("tagId")) : null,
  };
}

/** An address that the frame may lead to: a page of the casino, and nothing else. */
export function ownPage(address, origins) {
  try {
    const to = new URL(address);
    return /^https?:$/.test(to.protocol) && origins.includes(to.origin) ? to.href : null;
  } catch {
    return null;
  }
}

export class Host {
  /** `told` is what readQuery returned. */
  constructor(told, origins) {
    this.told = told;
    this.origins = origins;
    this.handlers = {};
    this.embedded = window.parent !== window;
    window.addEventListener("message", (event) => this.#hear(event));
  }

  /** Call `handler` with the data of each message of this type. */
  on(type, handler) { this.handlers[type] = handler; }

  /** Tell the page. An old page without the envelope gets only what the ancestor said. */
  send(type, data = {}) {
    if (!this.embedded) return;
    if (this.told.nonce && this.told.origin) {
      window.parent.postMessage({ webframe: PROTOCOL, nonce: this.told.nonce, type, data }, this.told.origin);
      return;
    }
    const old = { height: ["tvbet_height", data.height], scrollto: ["tvbet_scrollto", data.top] }[type];
    if (!old) return;
    const targets = this.told.origin ? [this.told.origin] : this.origins;
    for (const target of targets) window.parent.postMessage(JSON.stringify({ type: old[0], value: old[1] }), target);
  }

  /** Whether the page understands the envelope. */
  get modern() { return this.embedded && Boolean(this.told.nonce && this.told.origin); }

  #hear({ source, origin, data }) {
    if (source !== window.parent || source === window || !this.origins.includes(origin)) return;
    if (typeof data === "string") return this.#hearOld(data);
    if (!this.modern || origin !== this.told.origin || data?.webframe !== PROTOCOL || data.nonce !== this.told.nonce) return;
    this.handlers[data.type]?.(data.data || {});
  }

  /** The ancestor's messages say only how much of the window there is. */
  #hearOld(text) {
    let told;
    try { told = JSON.parse(text); } catch { return; }
    const type = told?.type || Object.keys(told || {})[0], value = Number(told?.value ?? told?.[type]);
    if (type === "tvbet_vh" && value > 0) this.handlers.view?.({ height: value, top: 0 });
  }
}
