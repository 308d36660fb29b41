// A game: the provider's page in an inner frame, the balance beside it, and the ways out.

import { ApiError } from "./api.js";
import { ownPage } from "./host.js";
import { make } from "./words.js";

const EVERY_MS = 3000;
// No way for the game to move the whole page; its own origin stays its own.
const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups allow-orientation-lock";

/** The address of a provider's frame if it is one of a web page elsewhere; raises ApiError. */
export function frameAddress(text, here = location) {
  let to;
  try { to = new URL(text); } catch { throw new ApiError("bad_frame"); }
  const plainHttp = to.protocol === "http:" && here.protocol === "http:";
  if ((to.protocol !== "https:" && !plainHttp) || to.origin === here.origin || to.username || to.password) throw new ApiError("bad_frame");
  return to;
}

export class GameView {
  constructor(frame, gameId, demo) {
    this.frame = frame;
    this.gameId = gameId;
    this.opened = frame.opened?.gameId === gameId ? frame.opened : null;
    frame.opened = null;
    this.demo = this.opened ? this.opened.mode === "demo" : demo;
  }

  async open() {
    const { frame } = this, { words } = frame;
    document.body.classList.add("playing");
    this.title = make("h1", { tabindex: -1 }, "…");
    this.balanceText = make("output.money", { "aria-live": "off" }, "–");
    this.time = make("span.quiet.time", { title: words.say("session.time") });
    this.stage = make("div.stage", {}, make("p.loading", { role: "status" }, words.say("game.loading")));
    frame.show(this.#bar(), this.stage);
    this.ticking = setInterval(() => this.#tick(), 1000);
    this.polling = setInterval(() => { if (!document.hidden) this.refreshBalance(); }, EVERY_MS);
    this.onMessage = (event) => { if (this.inner && event.source === this.inner.contentWindow && event.origin === this.innerOrigin) this.refreshBalance(); };
    window.addEventListener("message", this.onMessage);
    frame.host.send("scrollto", { top: 0 });
    await this.#launch();
  }

  close() {
    document.body.classList.remove("playing");
    this.closed = true;
    clearInterval(this.ticking);
    clearInterval(this.polling);
    window.removeEventListener("message", this.onMessage);
  }

  refresh() { this.refreshBalance(); }

  #bar() {
    const { frame } = this, { words } = frame;
    const back = frame.told.singleGame ? null
      : make("button.small.back", { "aria-label": words.say("game.back"), onclick: () => this.#leave() }, make("span", { "aria-hidden": "true" }, "‹"), make("span.wide-only", {}, words.say("game.back")));
    this.mode = make("span.tag", {}, words.say(this.demo ? "game.demo" : "game.real"));
    const real = this.demo && make("button.primary.small", { onclick: () => this.#playReal() }, words.say("game.play_real"));
    this.pill = make("span.pill", {}, make("span.quiet.wide-only", {}, words.say("balance")), this.balanceText);
    const exit = frame.canExit && make("button.small.ghosted", { "aria-label": words.say("exit"), onclick: () => frame.exit("game") },
      make("span.wide-only", {}, words.say("exit")), make("span.narrow-only", { "aria-hidden": "true" }, "✕"));
    this.extras = [this.mode, this.time, real].filter(Boolean);
    return make(`header.bar${real ? ".trial" : ""}`, {}, back, make("div.name", {}, this.title, make("p", {}, this.mode, this.time)), make("span.space"),
      this.pill, real, exit);
  }

  /** To the casino's own lobby if the launch named one, else to ours. */
  #leave() {
    const lobby = ownPage(this.lobbyUrl, this.frame.config.origins);
    if (lobby) window.open(lobby, "_top");
    else this.frame.go("#/");
  }

  #playReal() {
    if (this.frame.player) this.frame.go(`#/game_id/${this.gameId}`);
    else this.frame.wantsAccount(this.gameId);
  }

  async #launch() {
    const { frame } = this, { words } = frame;
    try {
      const told = this.opened ?? await frame.api.launch(this.gameId, { mode: this.demo ? "demo" : "real", language: frame.config.language,
        device: matchMedia("(max-width: 640px)").matches ? "mobile" : "desktop" });
      if (this.closed) return;
      this.lobbyUrl = told.lobbyUrl;
      const address = frameAddress(told.frameUri);
      this.innerOrigin = address.origin;
      this.session = told.sessionId;
      const name = await this.#name();
      this.title.textContent = name;
      this.inner = make("iframe.inner", { title: words.say("game.frame", { game: name }), sandbox: SANDBOX, allow: "autoplay; fullscreen",
        referrerpolicy: "no-referrer", src: address.href });
      this.inner.addEventListener("load", () => { this.stage.querySelector(".loading")?.remove(); this.inner.focus({ preventScroll: true }); }, { once: true });
      this.stage.append(this.inner);
      frame.say("game.opened", { game: name });
      this.refreshBalance();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.closed) return;
      frame.host.send("error", { code: error.code, message: words.say(`error.${error.code}`) });
      const never = error.code === "no_game" || error.code === "bad_frame";
      const back = frame.told.singleGame ? null : make(`button${never ? ".primary" : ""}`, { onclick: () => frame.go("#/") }, words.say("game.back"));
      this.title.textContent = words.say("lobby.games");
      for (const extra of [...this.extras, this.pill]) extra.remove();
      this.stage.replaceChildren(frame.problem(error, never ? null : () => frame.route(), back));
    }
  }

  /** The game's name as the lobby has it. */
  async #name() {
    const games = await this.frame.api.games(this.frame.config.language).catch(() => []);
    return games.find((game) => game.gameId === this.gameId)?.name ?? "";
  }

  async refreshBalance() {
    const { frame } = this;
    if (!this.session || this.asking) return;
    this.asking = true;
    const told = await frame.api.state(this.demo ? this.session : null).catch(() => null);
    this.asking = false;
    if (this.closed || !told) return;
    frame.protection.heed(told.hardStop);
    if (told.balance == null) return;
    this.balanceText.textContent = frame.words.money(told.balance, told.currency);
    if (told.balance !== this.last) frame.balance(told.balance, told.currency, this.demo);
    this.last = told.balance;
  }

  #tick() { this.time.textContent = this.frame.words.clock(this.frame.protection.playedMs); }
}
