// The official SignalR client, unmodified: follows one game type and writes what happens, one JSON object a line.
import * as signalR from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

const told = JSON.parse(process.argv[2]);
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));

const options = { transport: signalR.HttpTransportType.WebSockets, skipNegotiation: told.skip };
if (told.header) options.accessTokenFactory = () => told.token;
const url = told.header ? told.url : `${told.url}?access_token=${told.token}`;

let builder = new signalR.HubConnectionBuilder()
  .withUrl(url, options)
  .withAutomaticReconnect(Array(100).fill(200))
  .configureLogging(signalR.LogLevel.None);
if (told.protocol === "messagepack") builder = builder.withHubProtocol(new MessagePackHubProtocol());
const connection = builder.build();
if (told.silence) connection.serverTimeoutInMilliseconds = told.silence;

const asked = JSON.stringify({ GameType: told.gameType, PartnerClientId: told.casino, Count: 1 });
const subscribe = () => connection.invoke("Subscribe", "SubOnWholeGamesInfo", asked);

connection.on("SubOnWholeGamesInfo", (info) =>
  say("push", { sId: info.sId, draws: info.wgi.map((draw) => `${draw.s}:${draw.res.join()}`) }));
connection.onreconnecting((error) => say("reconnecting", { error: String(error) }));
connection.onreconnected(async () => {
  say("reconnected");
  await subscribe();
});
connection.onclose((error) => say("closed", { error: String(error) }));

try {
  await connection.start();
  say("started", { id: connection.connectionId });
  await subscribe();
  say("subscribed");
  try {
    await connection.invoke("Subscribe", "SubOnWholeGamesInfo", JSON.stringify({ GameType: 3, PartnerClientId: 999 }));
  } catch (error) {
    say("refused", { error: String(error) });
  }
  process.stdin.on("data", async () => {
    await connection.invoke("Unsubscribe", "SubOnWholeGamesInfo", asked);
    await connection.stop();
    process.exit(0);
  });
} catch (error) {
  say("failed", { error: String(error) });
  process.exit(1);
}
