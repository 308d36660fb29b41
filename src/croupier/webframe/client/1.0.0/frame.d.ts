/** Croupier WebFrame 1.0.0: embeds a hub's games into a casino's page. */

/** The options of the ancestor keep their names; a missing `server` or `clientId` embeds nothing and warns in the console. */
export interface WebFrameOptions {
  /** Address of the hub's frame page, such as `https://hub.example/frame`. */
  server: string;
  /** The casino's PartnerClientId. */
  clientId: string | number;
  /** The player's refresh token. Without one the visitor is a guest. It travels by message, never in an address. */
  token?: string | null;
  /** Another name of `token`. */
  tokenAuth?: string | null;
  /** A launch code of the casino API, instead of a token: it opens the launched game once, within a minute. */
  code?: string;
  /** BCP 47 tag, `en` by default. */
  lng?: string;
  /** Id of the element that takes the frame, `tvbet-game` by default; created at the end of the page if missing. */
  containerId?: string;
  /** The element itself, instead of its id. */
  container?: HTMLElement;
  /** The game to open, by its id in the hub. */
  game_id?: string | number;
  /** The player stays in the game of `game_id`: no way to the lobby. */
  singleGame?: boolean;
  /** The lobby page to open, such as a category. */
  page?: string | string[];
  /** Selector of a header that floats above the page. */
  floatTop?: string;
  /** Selector of the element that scrolls, if the page itself does not. */
  scrollContainer?: string;
  pinned?: boolean;
  /** No draws that have not begun. */
  nosoon?: boolean;
  /** No jackpots. */
  nojackpot?: boolean;
  nofloat?: boolean;
  /** Where the frame's exit leads; without it, and without a handler of `exit`, nothing happens. */
  exitUrl?: string;
  /** What happens when a guest wants to bet: an address, or a function. */
  gameAuth?: string | ((data: AuthRequest) => void);
  checkAccess?: boolean;
  tagId?: string | number;
  /** Minutes between two reality checks; the narrower of this and the casino's limit holds. */
  realityCheck?: number;
  /** Texts of the element around the frame. */
  labels?: Partial<Record<"title" | "loading" | "failed", string>>;
  onReady?: (data: ReadyEvent) => void;
  onError?: (data: ErrorEvent) => void;
  onBalance?: (data: BalanceEvent) => void;
  onToken?: (data: TokenEvent) => void;
  onTokenExpired?: (data: Record<string, never>) => void;
  onCashier?: (data: Record<string, never>) => void;
  onExit?: (data: ExitEvent) => void;
}

export interface ReadyEvent { guest: boolean; language: string }
/** `code` is stable, `message` is for people, in the frame's language. */
export interface ErrorEvent { code: string; message: string }
/** Decimal text in major units. */
export interface BalanceEvent { balance: string; currency: string; demo: boolean }
/** The refresh token that the casino answered in place of the one before. */
export interface TokenEvent { token: string }
export interface ExitEvent { from: "lobby" | "game" | "stop" }
export interface AuthRequest { gameId: number | null }

export interface WebFrameEvents {
  ready: ReadyEvent;
  error: ErrorEvent;
  balance: BalanceEvent;
  token: TokenEvent;
  tokenExpired: Record<string, never>;
  cashier: Record<string, never>;
  exit: ExitEvent;
  auth: AuthRequest;
  game: { gameId: number | null };
  height: { height: number };
  scrollto: { top: number };
}

export class WebFrame {
  constructor(options: WebFrameOptions);
  /** The address of the frame page, with the options in its query. */
  readonly url: string;
  /** Put the frame into its container; the constructor has done it already. */
  mount(): this;
  /** Call `handler` for each event of this name; the function returned ends it. */
  on<Name extends keyof WebFrameEvents>(event: Name, handler: (data: WebFrameEvents[Name]) => void): () => void;
  /** Change these without a reload of the page. A `token` of null makes the player a guest. */
  update(changes: { token?: string | null; lng?: string; gameId?: string | number | null; realityCheck?: number }): void;
  /** End play: the frame shows the reason and takes no more bets. */
  stop(reason?: string): void;
  /** The wallet changed outside the games: read the balance again. */
  refreshBalance(): void;
  /** Remove the frame, its listeners, and a container that it created. */
  destroy(): void;
}

export { WebFrame as TvbetFrame };

/** `<web-frame server client-id token lng game-id page>`. Its events bubble as `webframe-ready`, `webframe-exit` and so on. */
export class WebFrameElement extends HTMLElement {
  readonly frame: WebFrame | null;
}

declare global {
  interface HTMLElementTagNameMap { "web-frame": WebFrameElement }
  interface Window { WebFrame: typeof WebFrame; TvbetFrame: typeof WebFrame }
}
