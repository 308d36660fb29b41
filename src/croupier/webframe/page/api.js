// The calls to the hub (casino.md 3.3): a bearer in memory, renewed before it ends, and errors with a code that the words explain.
// No cookie is sent or kept, so no other page can act for the player.

const ROOT = "/casino-api/v1/frame";
const PAGE = 200;
/** The code of the page's words for a problem of the hub; the rule or the field tells more than the code. */
const RULES = { player_blocked: "blocked", player_excluded: "excluded", casino_disabled: "casino_off", casino_closed: "casino_off", game_unknown: "no_game" };
const FIELDS = { token: "token_refused", mode: "guest" };
const CODES = { unauthorized: "access", forbidden_origin: "access", player_refused: "blocked", not_found: "no_game", not_available: "game_closed",
  too_many_requests: "too_many", not_now: "not_now", bad_request: "unreadable", code_not_valid: "code" };

export class ApiError extends Error {
  constructor(code, retryS = null) {
    super(code);
    this.code = code;
    this.retryS = retryS;
  }
}

const codeOf = (problem, path) => RULES[problem.rule] || (problem.code === "player_refused" && FIELDS[problem.field])
  || (problem.code === "peer_unanswered" && (path === "/session" ? "casino_silent" : "game_closed")) || CODES[problem.code] || "not_now";

export class Api {
  constructor(clientId) {
    this.clientId = clientId;
    this.access = null;
    /** Called when the hub no longer takes the bearer; returns once there is another, or raises ApiError. */
    this.revive = null;
    /** Called with whether the hub can be reached. */
    this.onLine = () => {};
  }

  /** Begin a session: by a launch code, by the player's token, or as a guest. Raises ApiError, as every call. */
  async enter({ token = null, code = null, gameId = null, tagId = null }) {
    this.access = null;
    const who = code ? { code, ...(gameId && { gameId }) } : { ...(token && { token }), ...(tagId && { tagId }) };
    const told = await this.#send(`${ROOT}/session`, "POST", { clientId: this.clientId, ...who });
    this.access = told.accessToken;
    return told;
  }

  /** A new bearer for the same stay. */
  async renew() {
    const told = await this.#call(`${ROOT}/session/renew`, "POST");
    this.access = told.accessToken;
    return told;
  }

  /** The session as it is now; `sessionId` names an open demo game, whose balance is told instead. */
  state(sessionId = null) { return this.#call(`${ROOT}/session${sessionId ? `?sessionId=${encodeURIComponent(sessionId)}` : ""}`); }

  /** Every game of the lobby. */
  async games(language) {
    const games = [];
    for (let cursor = ""; cursor !== null;) {
      const told = await this.#call(`${ROOT}/games?limit=${PAGE}&language=${language}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      games.push(...told.games.filter((game) => game.available));
      cursor = told.nextCursor;
    }
    return games;
  }

  launch(gameId, options) { return this.#call(`${ROOT}/games/${gameId}/launch`, "POST", options); }

  /** Draws that run, and jackpots. */
  live() { return this.#call(`/frame/live?clientId=${this.clientId}`); }

  /** A call of a session. One that the hub refused for its bearer alone did nothing, and is made once more with a new one. */
  async #call(path, method = "GET", body = null) {
    try {
      return await this.#send(path, method, body);
    } catch (error) {
      if (error.code !== "access" || !this.access || !this.revive) throw error;
      await this.revive();
      return this.#send(path, method, body);
    }
  }

  async #send(path, method = "GET", body = null) {
    let answer;
    try {
      answer = await fetch(path, {
        method, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer",
        headers: { ...(body && { "Content-Type": "application/json" }), ...(this.access && { Authorization: `Bearer ${this.access}` }) },
        ...(body && { body: JSON.stringify(body) }), signal: AbortSignal.timeout(20000),
      });
    } catch {
      this.onLine(false);
      throw new ApiError("offline");
    }
    this.onLine(true);
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    throw new ApiError(told.code ? codeOf(told, path.slice(ROOT.length)) : "not_now", Number(answer.headers.get("Retry-After")) || null);
  }
}
