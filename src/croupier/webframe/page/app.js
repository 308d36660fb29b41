// The frame: a session with the hub, then the lobby or a game. It keeps tokens in memory alone and leaves none in an address.

import { Api, ApiError } from "./api.js";
import { GameView } from "./game.js";
import { Host, ownPage, readQuery } from "./host.js";
import { LobbyView } from "./lobby.js";
import { Protection } from "./protection.js";
import { Words, make } from "./words.js";

const HELLO_MS = 1500;
const RENEW_BEFORE_MS = 5 * 60 * 1000;
const DAY_MS = 23 * 3600 * 1000;

class Frame {
  constructor(config) {
    this.config = config;
    this.words = new Words(config.language, config.words);
    this.told = readQuery(location.search, config.origins, location.ancestorOrigins?.[0]);
    this.#forgetTokens();
    this.host = new Host(this.told, config.origins);
    this.api = new Api(config.clientId);
    this.main = document.getElementById("main");
    this.announcer = document.getElementById("announcer");
    this.player = null;
    this.clockOffset = 0;
    this.protection = new Protection(this);
    this.view = null;
  }

  /** Tokens of an old page's query leave the address at once. */
  #forgetTokens() {
    const here = new URL(location.href);
    here.searchParams.delete("token");
    here.searchParams.delete("tokenAuth");
    history.replaceState(null, "", here);
  }

  async run() {
    this.host.on("init", (data) => this.begin(data));
    this.host.on("update", (data) => this.update(data));
    this.host.on("stop", (data) => this.protection.stop(data.reason));
    this.host.on("balance", () => this.view?.refreshBalance?.());
    this.host.on("view", ({ height }) => {
      document.documentElement.style.setProperty("--view", `${Math.max(320, Math.min(Number(height) || 0, 4320))}px`);
    });
    new ResizeObserver(() => this.host.send("height", { height: Math.ceil(document.body.getBoundingClientRect().height) })).observe(document.body);
    window.addEventListener("hashchange", () => this.route());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.view?.refresh?.(); });
    if (this.host.modern) {
      this.host.send("hello");
      this.helloTimer = setTimeout(() => this.begin({ token: this.told.token }), HELLO_MS);
    } else await this.begin({ token: this.told.token });
  }

  /** The page answered (or there is none): open the session, then show what the address names. */
  async begin({ token, realityCheck = null }) {
    clearTimeout(this.helloTimer);
    if (this.begun) return;
    this.begun = true;
    this.realityCheckMin = Number(realityCheck) || null;
    await this.openSession(token || null);
  }

  async openSession(token) {
    try {
      const told = await this.api.enter(token, this.told.tagId);
      if (told.refreshToken) this.host.send("token", { token: told.refreshToken });
      this.refreshToken = told.refreshToken;
      this.cameAt = Date.now();
      this.renewLater(told.expiresIn);
      this.take(told.session);
      await this.route();
      this.host.send("ready", { guest: !this.player, language: this.config.language });
    } catch (error) {
      this.sessionFailed(error, token);
    }
  }

  /** What the hub says of the session: the player, the balance, the reality check, and when play ends. */
  take(session) {
    this.player = session.player && { currency: session.currency, balance: session.balance };
    const { realityCheck } = session;
    this.protection.begin({ playedMs: (realityCheck?.playedSeconds ?? 0) * 1000, everyS: realityCheck?.everySeconds, minutes: this.realityCheckMin });
    if (this.player && session.balance != null) this.balance(session.balance, session.currency, false);
    this.protection.heed(session.hardStop);
  }

  renewLater(expiresInS) {
    clearTimeout(this.renewTimer);
    this.renewTimer = setTimeout(() => this.renew(), Math.max(5000, expiresInS * 1000 - RENEW_BEFORE_MS));
  }

  /** A new bearer before the old one ends. After a day the casino is asked again who the player is, and may refuse. */
  async renew() {
    try {
      if (Date.now() - this.cameAt < DAY_MS) this.renewLater((await this.api.renew()).expiresIn);
      else await this.openSession(this.refreshToken);
    } catch (error) {
      if (error.code === "access") this.expired();
      else this.renewTimer = setTimeout(() => this.renew(), 15000);
    }
  }

  expired() {
    this.host.send("tokenExpired");
    this.say("error.token_refused");
  }

  sessionFailed(error, token) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "token_refused") this.host.send("tokenExpired");
    this.host.send("error", { code: error.code, message: this.words.say(`error.${error.code}`) });
    const guest = error.code === "token_refused" && make("button", { onclick: () => this.openSession(null) }, this.words.say("session.guest"));
    this.show(this.problem(error, () => this.openSession(token), guest));
  }

  /** What the page changes while the frame stays. */
  async update({ token, lng, gameId, realityCheck }) {
    if (realityCheck !== undefined) this.protection.every(Number(realityCheck) || null);
    if (lng && lng !== this.config.language) {
      const here = new URL(location.href);
      here.searchParams.set("lng", lng);
      return location.replace(here);
    }
    if (gameId !== undefined) this.go(gameId ? `#/game_id/${encodeURIComponent(gameId)}` : "#/");
    if (token !== undefined) await this.openSession(token);
  }

  /** Show the view that the fragment names. The page's history keeps no trace of it. */
  go(fragment) {
    history.replaceState(null, "", fragment);
    return this.route();
  }

  async route() {
    const parts = location.hash.replace(/^#\/?/, "").split("/").map(safeDecode).filter(Boolean);
    this.view?.close?.();
    if (this.protection.stopped) return this.protection.show();
    const gameId = parts[0] === "game_id" ? Number(parts[1]) : null;
    this.view = Number.isSafeInteger(gameId) && gameId > 0
      ? new GameView(this, gameId, parts[2] === "demo" || !this.player) : new LobbyView(this, parts[0] || null);
    this.host.send("game", { gameId: gameId || null });
    await this.view.open();
  }

  show(...content) {
    this.main.replaceChildren(...content);
    this.main.removeAttribute("aria-busy");
  }

  /** Speak to a screen reader. */
  say(key, values) { this.announcer.textContent = this.words.say(key, values); }

  balance(amount, currency, demo) { this.host.send("balance", { balance: amount, currency, demo }); }

  /** A guest wants to bet: the casino decides what happens. */
  wantsAccount(gameId) {
    const fallback = ownPage(this.told.gameAuth, this.config.origins);
    if (this.host.modern) this.host.send("auth", { gameId });
    else if (fallback) window.open(fallback, "_top");
  }

  /** Leave to the casino. Without a page that listens, only an address of the casino itself is followed. */
  exit(from) {
    const fallback = ownPage(this.told.exitUrl, this.config.origins);
    if (this.host.modern) this.host.send("exit", { from });
    else if (fallback) window.open(fallback, "_top");
  }

  get canExit() { return this.host.modern || ownPage(this.told.exitUrl, this.config.origins) !== null; }

  /** A panel that says what went wrong and what to do. */
  problem(error, again, ...more) {
    const code = error instanceof ApiError ? error.code : "unknown", key = `error.${code}`;
    const { words } = this, said = this.config.words[key] ? words.say(key) : words.say("error.unknown");
    const repeat = again && make("button.primary", { onclick: again }, words.say("again"));
    return make("section.problem", { role: "alert" }, make("h1", { tabindex: -1 }, words.say("error.title")), make("p", {}, said),
      error.retryS ? make("p.quiet", {}, words.say("error.wait", { seconds: error.retryS })) : null, make("div.row", {}, repeat, more));
  }
}

function safeDecode(part) {
  try { return decodeURIComponent(part); } catch { return ""; }
}

new Frame(JSON.parse(document.getElementById("config").textContent)).run();
