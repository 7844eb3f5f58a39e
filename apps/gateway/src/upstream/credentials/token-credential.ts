import { GatewayError } from '@portcullis/contracts/errors';
import { TokenError, TokenSource, type FetchToken } from '@portcullis/secrets';
import type { SignIn, UpstreamCredential } from './upstream-credential.js';

/** A connection that its authorization server has ended, as the control plane says. */
export class ReconnectNeeded extends Error {
  override readonly name = 'ReconnectNeeded';
}

/** A bearer token that ends and is asked for again. The headers are made once for each token. */
export function tokenCredential(name: string, fetchToken: FetchToken, now: () => number): UpstreamCredential {
  const source = new TokenSource(fetchToken, now);
  let made: { readonly token: string; readonly signIn: SignIn } | undefined;
  const headersOf = (token: string): SignIn => {
    if (made?.token !== token) made = { token, signIn: ['authorization', `Bearer ${token}`] };
    return made.signIn;
  };
  return {
    name,
    current: () => {
      const token = source.current();
      return token && headersOf(token.accessToken);
    },
    obtain: async () => headersOf((await source.get().catch(fail)).accessToken),
    renew: async (refused) => {
      const token = await source.renew(tokenOf(refused)).catch(fail);
      return token && headersOf(token.accessToken);
    },
  };
}

const tokenOf = (signIn: SignIn): string => (signIn[1] ?? '').slice('Bearer '.length);

function fail(error: unknown): never {
  if (error instanceof ReconnectNeeded) throw new GatewayError('upstream.reconnect', {}, { cause: error });
  const detail = error instanceof TokenError ? { fault: error.fault, reason: error.reason } : {};
  throw new GatewayError('upstream.credential', detail, { cause: error });
}
