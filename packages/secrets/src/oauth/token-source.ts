/** A token to call with. `expiresAt` is epoch milliseconds; undefined where nobody said when it ends. */
export interface UpstreamToken {
  readonly accessToken: string;
  readonly expiresAt: number | undefined;
}

/** Where tokens come from. `refused` is one that the server did not take. */
export type FetchToken = (refused: string | undefined) => Promise<UpstreamToken>;

const MARGIN_MS_MAX = 60_000;
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 30_000;
/** A server that takes no token must not have one asked for with every call. */
const RENEW_GAP_MS = 10_000;

/**
 * A token that is at hand: asked for once however many want it, again before it ends, and once more where it is refused. While there is none to be had,
 * whoever asks is told so at once, and the next attempt waits longer each time.
 */
export class TokenSource {
  private token: (UpstreamToken & { readonly since: number }) | undefined;
  private underWay: Promise<UpstreamToken> | undefined;
  private failure: { readonly error: unknown; readonly retryAt: number; readonly waitMs: number } | undefined;
  private renewedAt = -Infinity;

  constructor(
    private readonly fetchToken: FetchToken,
    private readonly now: () => number = Date.now,
  ) {}

  /** The token, where it is good; near its end another one is on its way. */
  current(): UpstreamToken | undefined {
    const { token } = this;
    if (token?.expiresAt === undefined) return token;
    const left = token.expiresAt - this.now();
    // A tenth of its life, or a minute, so that a short one is not asked for all the time.
    if (left < Math.min(MARGIN_MS_MAX, (token.expiresAt - token.since) / 10)) this.get(true).catch(() => undefined);
    return left > 0 ? token : undefined;
  }

  /** A good token, fetched where there is none. Rejects with what the last attempt met while that is fresh. */
  async get(isAnew = false): Promise<UpstreamToken> {
    const known = isAnew ? undefined : this.current();
    if (known !== undefined) return known;
    if (this.underWay === undefined && this.failure !== undefined && this.now() < this.failure.retryAt) throw this.failure.error;
    return (this.underWay ??= this.fetch(undefined));
  }

  /** A token in the place of one that the server did not take; undefined where there is none that is newer, and it is too soon to ask again. */
  async renew(refused: string): Promise<UpstreamToken | undefined> {
    const known = this.token;
    if (known !== undefined && known.accessToken !== refused) return known;
    if (this.underWay === undefined) {
      if (this.now() - this.renewedAt < RENEW_GAP_MS) return undefined;
      this.renewedAt = this.now();
      this.underWay = this.fetch(refused);
    }
    const token = await this.underWay;
    return token.accessToken === refused ? undefined : token;
  }

  private async fetch(refused: string | undefined): Promise<UpstreamToken> {
    try {
      const token = await this.fetchToken(refused);
      this.token = { ...token, since: this.now() };
      this.failure = undefined;
      return token;
    } catch (error) {
      const waitMs = Math.min((this.failure?.waitMs ?? RETRY_MS_MIN / 2) * 2, RETRY_MS_MAX);
      this.failure = { error, waitMs, retryAt: this.now() + waitMs };
      throw error;
    } finally {
      this.underWay = undefined;
    }
  }
}
