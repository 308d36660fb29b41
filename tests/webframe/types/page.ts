// A page of a casino in TypeScript: what the guide shows compiles, and each wrong use is an error.
import { TvbetFrame, WebFrame, WebFrameElement, type BalanceEvent, type WebFrameOptions } from "./frame.mjs";

const options: WebFrameOptions = {
  server: "https://hub.example/frame",
  clientId: 2201,
  token: "anna-token-1",
  lng: "de",
  page: ["slots", "live"],
  labels: { title: "Games" },
  gameAuth: ({ gameId }) => console.log(gameId === null ? "lobby" : gameId.toFixed()),
  onExit: ({ from }) => console.log(from === "stop"),
};
const frame = new WebFrame(options).mount();
const off: () => void = frame.on("balance", (data: BalanceEvent) => console.log(data.balance.padStart(8), data.demo));
frame.on("game", ({ gameId }) => console.log(gameId?.toFixed()));
frame.update({ token: null, lng: "en", gameId: "12", realityCheck: 30 });
frame.refreshBalance();
frame.stop("You have reached your limit for today.");
frame.destroy();
off();
new TvbetFrame({ server: "https://hub.example/frame", clientId: "2201", tokenAuth: "anna-token-1" }).mount();
const element: WebFrameElement = document.createElement("web-frame");
console.log(element.frame?.url, window.WebFrame === WebFrame);

// @ts-expect-error the hub's address is required
new WebFrame({ clientId: 2201 });
// @ts-expect-error there is no such option
new WebFrame({ server: "https://hub.example/frame", clientId: 2201, languge: "de" });
// @ts-expect-error there is no such event
frame.on("balanced", () => undefined);
// @ts-expect-error a balance is text, so that no binary float touches it
frame.on("balance", ({ balance }) => balance.toFixed(2));
// @ts-expect-error the address is read alone
frame.url = "https://elsewhere.example";
// @ts-expect-error the exit is from one of three places
frame.on("exit", ({ from }) => from === "nowhere");
