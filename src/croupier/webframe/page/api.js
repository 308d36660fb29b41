// The calls to the hub: a bearer in memory, renewed before it ends, and errors with a code that the words explain.
// No cookie is sent or kept, so no other page can act for the player.

export class ApiError extends Error {
  constructor(code, retryS = null) {
    super(code);
    this.code = code;
    this.retryS = retryS;
  }
}

export class Api {
  constructor(clientId) {
    this.clientId = clientId;
    this.access = null;
    this.expiresAt = 0;
  }

  /** Begin or renew the session. Returns what the hub says of the player; `token` null is a guest. */
  async open(token, tagId = null) {
    const told = await this.call("session", { clientId: this.clientId, ...(token && { token }), ...(tagId && { tagId }) });
    this.access = told.access;
    this.expiresAt = Date.now() + told.expiresIn * 1000;
    return told;
  }

  /** GET without a body, POST with one. Raises ApiError. */
  async call(path, body) {
    let answer;
    try {
      answer = await fetch(`/frame/api/${path}`, {
        method: body ? "POST" : "GET", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer",
        headers: { ...(body && { "Content-Type": "application/json" }), ...(this.access && { Authorization: `Bearer ${this.access}` }) },
        ...(body && { body: JSON.stringify(body) }), signal: AbortSignal.timeout(20000),
      });
    } catch {
      throw new ApiError("offline");
    }
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    throw new ApiError(told.code || "offline", Number(answer.headers.get("Retry-After")) || null);
  }
}
