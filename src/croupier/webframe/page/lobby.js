// The lobby: this casino's games by category, searchable, with favourites, live draws and jackpots.

import { art } from "./art.js";
import { LiveStrip } from "./live.js";
import { make } from "./words.js";

const ALL = "all", FAVOURITES = "favourites";
const ORDER = ["live", "crash", "lottery", "slots", "table", "marbles"];

/** Names without accents and case, so that a search finds what it means. */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Favourites of this browser; where storage is forbidden they last as long as the frame. */
class Favourites {
  constructor(clientId) {
    this.key = `croupier.favourites.${clientId}`;
    try { this.ids = new Set(JSON.parse(localStorage.getItem(this.key) || "[]").map(Number)); } catch { this.ids = new Set(); }
  }

  toggle(id) {
    if (!this.ids.delete(id)) this.ids.add(id);
    try { localStorage.setItem(this.key, JSON.stringify([...this.ids])); } catch { /* kept in memory */ }
    return this.ids.has(id);
  }
}

export class LobbyView {
  constructor(frame, category) {
    this.frame = frame;
    this.category = category || ALL;
    this.text = "";
    this.favourites = new Favourites(frame.config.clientId);
  }

  async open() {
    const { frame } = this, { words } = frame;
    frame.main.setAttribute("aria-busy", "true");
    this.grid = make("ul.grid", { "aria-label": words.say("lobby.games") });
    this.grid.append(...Array.from({ length: 8 }, () => make("li.card.ghost", { "aria-hidden": "true" }, make("span.art"), make("span.line"))));
    this.count = make("p.quiet.count", { role: "status" });
    this.chips = make("nav.chips", { "aria-label": words.say("lobby.categories") });
    this.live = new LiveStrip(frame, (gameId) => this.games?.some((game) => game.id === gameId));
    frame.show(this.#header(), this.live.element, make("div.find", {}, this.chips, this.#search()), this.count, this.grid, this.#footer());
    this.live.start();
    frame.main.setAttribute("aria-busy", "true");
    await this.#load();
  }

  async #load() {
    const { frame } = this;
    try {
      this.games = (await frame.api.games(frame.config.language)).map((game) => ({ ...game, id: game.gameId }));
      this.games.sort((a, b) => a.name.localeCompare(b.name));
      this.#showChips();
      this.#showGames();
      this.live.refresh(); // its draws lead to these games
    } catch (error) {
      if (this.closed) return;
      this.count.textContent = "";
      this.grid.replaceChildren(make("li.wide", {}, frame.problem(error, () => this.#load())));
    }
    frame.main.removeAttribute("aria-busy");
  }

  refresh() {
    if (!this.games) this.#load();
    this.live.refresh();
    this.refreshBalance();
  }

  async refreshBalance() {
    const { frame } = this;
    if (!frame.player) return;
    const told = await frame.api.state().catch(() => null);
    if (told) frame.protection.heed(told.hardStop);
    if (told?.balance == null || !this.balanceText) return;
    this.balanceText.textContent = frame.words.money(told.balance, told.currency);
    if (told.balance !== frame.player.balance) frame.balance(told.balance, told.currency, false);
    frame.player.balance = told.balance;
  }

  close() {
    this.closed = true;
    this.live?.stop();
    clearInterval(this.timer);
  }

  #header() {
    const { frame } = this, { words, player } = frame;
    const right = make("div.row.end");
    if (player) {
      this.balanceText = make("output.money", { "aria-label": words.say("balance") }, player.balance == null ? "–" : words.money(player.balance, player.currency));
      this.timer = setInterval(() => { if (!document.hidden) this.refreshBalance(); }, 8000);
      right.append(make("span.pill", {}, make("span.quiet", {}, words.say("balance")), this.balanceText));
      if (frame.host.modern) right.append(make("button.small", { onclick: () => frame.host.send("cashier") }, words.say("cashier")));
    } else right.append(make("button.primary.small", { onclick: () => frame.wantsAccount(null) }, words.say("login")));
    if (frame.canExit) right.append(make("button.small.ghosted", { onclick: () => frame.exit("lobby") }, words.say("exit")));
    return make("header.top", {}, make("h1", { tabindex: -1 }, words.say("lobby.games")), right);
  }

  #search() {
    const { words } = this.frame;
    const input = make("input", { type: "search", id: "search", placeholder: words.say("lobby.search"), autocomplete: "off", maxlength: 60,
      oninput: () => { this.text = plain(input.value.trim()); this.#showGames(); } });
    return make("label.search", { for: "search" }, make("span.sr", {}, words.say("lobby.search")), input);
  }

  #showChips() {
    const { words } = this.frame, present = [...new Set(this.games.map((game) => game.category))];
    const place = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
    present.sort((a, b) => place(a) - place(b) || a.localeCompare(b));
    const named = (name) => this.frame.config.words[`category.${name}`] || name;
    if (this.category !== ALL && this.category !== FAVOURITES && !present.includes(this.category)) this.category = ALL;
    this.chips.replaceChildren(...[ALL, FAVOURITES, ...present].map((name) => make("button.chip", {
      "aria-pressed": String(name === this.category),
      onclick: (event) => {
        this.category = name;
        for (const chip of this.chips.children) chip.setAttribute("aria-pressed", String(chip === event.currentTarget));
        this.#showGames();
      },
    }, name === ALL ? words.say("lobby.all") : name === FAVOURITES ? words.say("lobby.favourites") : named(name))));
  }

  #showGames() {
    if (!this.games) return;
    const { words } = this.frame;
    const found = this.games.filter((game) => (this.category === ALL || game.category === this.category
      || (this.category === FAVOURITES && this.favourites.ids.has(game.id))) && plain(game.name).includes(this.text));
    this.count.textContent = words.say(found.length === 1 ? "lobby.one" : "lobby.count", { count: found.length });
    const empty = this.category === FAVOURITES && !this.text ? "lobby.no_favourites" : this.games.length ? "lobby.nothing" : "lobby.empty";
    this.grid.replaceChildren(...(found.length ? found.map((game) => this.#card(game)) : [make("li.wide.none", {}, words.say(empty))]));
  }

  #card(game) {
    const { frame } = this, { words, player } = frame, marked = this.favourites.ids.has(game.id);
    const heart = make("button.heart", { "aria-pressed": String(marked), "aria-label": words.say("lobby.favourite", { game: game.name }),
      onclick: () => {
        const now = this.favourites.toggle(game.id);
        heart.setAttribute("aria-pressed", String(now));
        heart.textContent = now ? "♥" : "♡";
        if (this.category === FAVOURITES) this.#showGames();
      } }, marked ? "♥" : "♡");
    const play = make("button.play", { "aria-label": words.say("play.named", { game: game.name }),
      onclick: () => (player ? frame.go(`#/game_id/${game.id}`) : frame.wantsAccount(game.id)) }, words.say("play"));
    const demo = make("button.demo", { "aria-label": words.say("demo.named", { game: game.name }), onclick: () => frame.go(`#/game_id/${game.id}/demo`) }, words.say("demo"));
    const name = make("h2", {}, game.name), provider = make("p.quiet", {}, game.provider);
    return make("li.card", {}, make("span.art", {}, art(game)), heart, make("div.about", {}, name, provider), make("div.acts", {}, play, demo));
  }

  #footer() {
    const { words } = this.frame;
    return make("footer.care", {}, make("p", {}, make("b", {}, words.say("care.title")), " ", words.say("care.text")));
  }
}
