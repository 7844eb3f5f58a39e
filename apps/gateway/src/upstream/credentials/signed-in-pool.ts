import { GatewayError } from '@portcullis/contracts/errors';
import { Dispatcher } from 'undici';
import { failureOf } from '../post-failure.js';
import type { ClosablePool } from '../upstream-way.js';
import type { SignIn, UpstreamCredential } from './upstream-credential.js';

type Options = Dispatcher.DispatchOptions;
type Handler = Dispatcher.DispatchHandler;

/**
 * Connections to a server over which every request goes with a credential: calls, handshakes, streams, farewells alike. A request that is answered 401
 * has not run; it is sent once more where there is another token. It is closed by whoever owns the connections.
 */
export class SignedInPool extends Dispatcher {
  constructor(
    private readonly pool: ClosablePool,
    private readonly credential: UpstreamCredential,
  ) {
    super();
  }

  override dispatch(options: Options, handler: Handler): boolean {
    let signIn: SignIn | undefined;
    try {
      signIn = this.credential.current();
    } catch (error) {
      return refuse(handler, error);
    }
    if (signIn !== undefined) return this.send(options, handler, signIn);
    this.credential.obtain().then(
      (obtained) => this.send(options, handler, obtained),
      (error: unknown) => refuse(handler, error),
    );
    return true;
  }

  override close(): Promise<void> {
    return this.pool.close();
  }

  override destroy(): Promise<void> {
    return this.pool.destroy();
  }

  private send(options: Options, handler: Handler, signIn: SignIn): boolean {
    return this.pool.dispatch(withHeaders(options, signIn), new Renewing(handler, () => this.renew(options, handler, signIn)));
  }

  private async renew(options: Options, handler: Handler, refused: SignIn): Promise<void> {
    try {
      const renewed = await this.credential.renew(refused);
      if (renewed === undefined) throw new GatewayError('upstream.unauthorized');
      this.pool.dispatch(withHeaders(options, renewed), new Renewing(handler, undefined));
    } catch (error) {
      refuse(handler, error);
    }
  }
}

function withHeaders(options: Options, signIn: SignIn): Options {
  const { headers } = options;
  return { ...options, headers: [...((headers ?? []) as readonly string[]), ...signIn] };
}

/** As a connection would that could not be made. */
function refuse(handler: Handler, error: unknown): true {
  const failure = failureOf(error instanceof Error ? error : new Error(String(error)), false);
  handler.onResponseError?.(NO_CONNECTION, failure);
  return true;
}

const NO_CONNECTION: Dispatcher.DispatchController = {
  aborted: true,
  paused: false,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

/** Hands everything on but a 401, which becomes another attempt, or the word that the server takes no credential of ours. */
class Renewing implements Handler {
  private isRefused = false;

  constructor(
    private readonly handler: Handler,
    private readonly renew: (() => Promise<void>) | undefined,
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.handler.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    text?: string,
  ): void {
    if (status !== 401) return this.handler.onResponseStart?.(controller, status, headers, text);
    this.isRefused = true;
    controller.abort(new GatewayError('upstream.unauthorized'));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.isRefused) this.handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: Record<string, string | string[] | undefined>): void {
    if (!this.isRefused) this.handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    if (this.isRefused && this.renew !== undefined) void this.renew();
    else this.handler.onResponseError?.(controller, error);
  }
}
