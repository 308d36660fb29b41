// A pretend casino's page: it logs a player in at its own server, embeds the frame, and shows wallet and messages as they pass.
// A real page needs five lines of this: the guide docs/guides/webframe.md shows them.

const at = (id) => document.getElementById(id);
const ask = async (path, body) => (await fetch(path, body ? { method: "POST", body: JSON.stringify(body) } : {})).json();
const KINDS = { "-1": "stake", 1: "payout", 2: "stake returned", "-2": "payout taken back", 4: "jackpot", };
const MOST = 60;

const config = await ask("/site/config");
const { WebFrame } = await import(`${config.hubUrl}/assets/frame.mjs`);
let frame = null, player = null, seen = new Set();

/** A line of what passed. Tokens are shown by their length alone. */
function note(direction, type, data) {
  const text = JSON.stringify(data ?? {}, (key, value) => (key === "token" && value ? `(${value.length} characters)` : value));
  const line = document.createElement("li"), name = document.createElement("b");
  name.textContent = `${direction} ${type} `;
  line.append(name, text);
  at("messages").prepend(line);
  while (at("messages").children.length > MOST) at("messages").lastChild.remove();
}

const say = (type, data, act) => { note("page → frame:", type, data); act(); };

function embed(token) {
  frame?.destroy();
  frame = new WebFrame({
    server: `${config.hubUrl}/frame`, clientId: config.clientId, token, lng: at("language").value, floatTop: "#head",
    gameAuth: () => at("player").focus(), onCashier: () => at("deposit").focus(), onExit: () => at("head").scrollIntoView(),
  });
  for (const event of ["ready", "error", "balance", "token", "tokenExpired", "cashier", "exit", "auth", "game"]) {
    frame.on(event, (data) => { note("frame → page:", event, data); if (event === "balance") readWallet(); });
  }
}

async function login(name) {
  const told = await ask("/_sandbox/token", { player: name });
  player = name;
  at("login").hidden = true;
  at("login").style.display = "none";
  at("account").hidden = false;
  at("who").textContent = name;
  if (frame) say("update", { token: told.RefreshToken }, () => frame.update({ token: told.RefreshToken }));
  else embed(told.RefreshToken);
  await readWallet();
}

function logout() {
  player = null;
  seen = new Set();
  at("login").style.display = "";
  at("login").hidden = false;
  at("account").hidden = true;
  at("bookings").replaceChildren();
  at("no-bookings").hidden = false;
  say("update", { token: null }, () => frame?.update({ token: null }));
}

async function readWallet() {
  if (!player) return;
  const told = await ask(`/_sandbox/wallet/${encodeURIComponent(player)}`);
  if (told.balance === undefined) return;
  const money = new Intl.NumberFormat(at("language").value, { style: "currency", currency: told.currency });
  at("balance").textContent = money.format(told.balance);
  at("no-bookings").hidden = told.bookings.length > 0;
  const rows = [...told.bookings].sort((a, b) => b.bookedMs - a.bookedMs).slice(0, 12).map((booking) => {
    const id = booking.PartnerTransactionId, row = document.createElement("tr"), given = ["1", "2", "4"].includes(String(booking.TransactionType));
    row.className = seen.size && !seen.has(id) ? "fresh" : "";
    seen.add(id);
    for (const [text, number] of [[`…${String(booking.BetId ?? booking.CashbackId ?? "").slice(-6)}`], [KINDS[booking.TransactionType] ?? booking.TransactionType],
      [`${given ? "+" : "−"}${money.format(booking.Amount)}`, true]]) {
      const cell = row.appendChild(document.createElement("td"));
      cell.textContent = text;
      if (number) cell.className = "number";
    }
    return row;
  });
  at("bookings").replaceChildren(...rows);
}

at("login").addEventListener("submit", (event) => { event.preventDefault(); login(at("player").value.trim()); });
at("logout").addEventListener("click", logout);
at("language").addEventListener("change", ({ target }) => say("update", { lng: target.value }, () => frame?.update({ lng: target.value })));
at("deposit").addEventListener("click", async () => {
  if (!player) return;
  await ask("/_sandbox/balance", { player, balance: "500" });
  say("balance", {}, () => frame?.refreshBalance());
  await readWallet();
});
at("check").addEventListener("click", () => say("update", { realityCheck: 1 }, () => frame?.update({ realityCheck: 1 })));
at("stop").addEventListener("click", () => say("stop", {}, () => frame?.stop("The pretend casino has ended your session.")));
at("destroy").addEventListener("click", () => { note("page:", "destroy"); frame?.destroy(); frame = null; });
setInterval(() => { if (!document.hidden) readWallet(); }, 1500);

embed(null);
