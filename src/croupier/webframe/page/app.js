// The frame: a session with the hub, then the lobby or a game. It keeps tokens in memory alone and leaves none in an address.

import { Api, ApiError } from "./api.js";
import { GameView } from "./game.js";
import { Host, ownPage, readQuery } from "./host.js";
import { LobbyView } from "./lobby.js";
import { Protection } from "./protection.js";
import { Words, make } from "./words.js";

const HELLO_MS = 1500;
const RETRY_MS = 15000;
const RENEW_BEFORE_MS = 5 * 60 * 1000;
const DAY_MS = 23 * 3600 * 1000;
/** Words of the hub after which no session comes of itself. */
const FINAL = ["token_refused", "access", "blocked", "excluded", "casino_off", "code"];

class Frame {
  constructor(config) {
    this.config = config;
    this.words = new Words(config.language, config.words);
    this.told = readQuery(location.search, config.origins, location.ancestorOrigins?.[0]);
    this.#forgetTokens();
    this.host = new Host(this.told, config.origins);
    this.api = new Api(config.clientId);
    this.api.revive = () => this.revive();
    this.api.onLine = (reached) => this.line(reached);
    this.main = document.getElementById("main");
    this.announcer = document.getElementById("announcer");
    this.noLine = make("p.noline", { role: "status", hidden: true });
    this.main.before(this.noLine);
    this.player = null;
    this.clockOffset = 0;
    this.protection = new Protection(this);
    this.view = null;
  }

  /** Tokens of an old page's query and launch codes leave the address at once. */
  #forgetTokens() {
    const here = new URL(location.href);
    here.searchParams.delete("token");
    here.searchParams.delete("tokenAuth");
    here.searchParams.delete("code");
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
    await this.openSession(token || null, this.told.code);
  }

  /** Open a session and show what the address names. A launch code is tried first, and opens its game. */
  async openSession(token, code = null) {
    try {
      const told = await this.api.enter({ token, code, gameId: gameOf(location.hash), tagId: this.told.tagId });
      this.ended = null;
      this.keep(told, token);
      this.take(told.session);
      if (told.game) this.#opened(told.game);
      await this.route();
      this.host.send("ready", { guest: !this.player, language: this.config.language });
    } catch (error) {
      this.sessionFailed(error, token, code);
    }
  }

  /** The tokens of a session: the bearer is renewed in time, and the player's next token goes to the page. */
  keep(told, token) {
    if (told.refreshToken) this.host.send("token", { token: told.refreshToken });
    this.refreshToken = told.refreshToken ?? token;
    this.cameAt = Date.now();
    this.renewLater(told.expiresIn);
  }

  /** The game of a launch code is open already: its view shows it instead of opening another. */
  #opened(game) {
    this.opened = game;
    this.told.exitUrl ??= game.exitUrl;
    history.replaceState(null, "", `#/game_id/${game.gameId}${game.mode === "demo" ? "/demo" : ""}`);
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
      else await this.revive();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.ended) this.renewTimer = setTimeout(() => this.renew(), RETRY_MS);
    }
  }

  /** The bearer is no good any more (a computer slept, a key is gone): the casino is asked anew, once for all calls that wait, and play goes on. */
  revive() {
    return (this.reviving ??= this.#enterAgain().finally(() => { this.reviving = null; }));
  }

  async #enterAgain() {
    try {
      if (this.player && !this.refreshToken) throw new ApiError("token_refused"); // a launch code opens nothing twice
      const told = await this.api.enter({ token: this.refreshToken, tagId: this.told.tagId });
      this.keep(told, this.refreshToken);
      this.protection.heed(told.session.hardStop);
    } catch (error) {
      if (FINAL.includes(error.code)) this.expired(error.code === "access" ? new ApiError("token_refused") : error);
      throw error;
    }
  }

  /** The casino does not know the player any more: play ends with words that say what to do, until the page brings another token. */
  expired(error) {
    clearTimeout(this.renewTimer);
    this.ended = error;
    this.view?.close?.();
    this.view = null;
    this.sessionFailed(error, this.refreshToken);
  }

  sessionFailed(error, token, code = null) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "token_refused") this.host.send("tokenExpired");
    this.host.send("error", { code: error.code, message: this.words.say(`error.${error.code}`) });
    const { words } = this, lost = error.code === "token_refused" || error.code === "code";
    const login = error.code === "token_refused" && this.canLogin && make("button.primary", { onclick: () => this.wantsAccount(null) }, words.say("login"));
    const leave = error.code === "code" && this.canExit && make("button.primary", { onclick: () => this.exit("error") }, words.say("exit"));
    const guest = lost && make("button", { onclick: () => this.openSession(null) }, words.say("session.guest"));
    this.show(this.problem(error, lost ? null : () => this.openSession(token, code), login, leave, guest));
    this.main.querySelector(".problem h1").focus();
  }

  /** Whether the hub can be reached; what is shown is read anew once it can. */
  line(reached) {
    if (this.noLine.hidden === reached) return;
    this.noLine.hidden = reached;
    this.noLine.textContent = reached ? "" : this.words.say("line.lost");
    if (reached) { this.say("line.back"); this.view?.refresh?.(); }
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
    if (this.ended) return this.sessionFailed(this.ended, this.refreshToken);
    const gameId = gameOf(location.hash);
    this.view = gameId
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

  get canLogin() { return this.host.modern || ownPage(this.told.gameAuth, this.config.origins) !== null; }

  /** A panel that says what went wrong and what to do. */
  problem(error, again, ...more) {
    const code = error instanceof ApiError ? error.code : "unknown", key = `error.${code}`;
    const { words } = this, said = this.config.words[key] ? words.say(key) : words.say("error.unknown");
    const repeat = again && make("button.primary", { onclick: again }, words.say("again"));
    return make("section.problem", { role: "alert" }, make("h1", { tabindex: -1 }, words.say("error.title")), make("p", {}, said),
      error.retryS ? make("p.quiet", {}, words.say("error.wait", { seconds: error.retryS })) : null, make("div.row", {}, repeat, more));
  }
}

/** The game that a fragment names, or null. */
function gameOf(fragment) {
  const id = Number(/^#\/?game_id\/([0-9]{1,15})(\/|$)/.exec(fragment)?.[1]);
  return id > 0 ? id : null;
}

function safeDecode(part) {
  try { return decodeURIComponent(part); } catch { return ""; }
}

new Frame(JSON.parse(document.getElementById("config").textContent)).run();
