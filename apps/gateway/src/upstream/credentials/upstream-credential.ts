import { GatewayError } from '@portcullis/contracts/errors';
import type { Caller } from '../../caller/authenticate.js';

/** Headers that say who calls a server, as undici takes them: names and values in turn. */
export type SignIn = readonly string[];

/** What calls of one agent, or of all that have none of their own, go to a server with. */
export interface UpstreamCredential {
  /** Another one, or another version of it, has another name. */
  readonly name: string;
  /** Undefined while there is none at hand, and one may be had. Throws a GatewayError where there will be none. */
  current(): SignIn | undefined;
  /** Waits for one. Rejects with a GatewayError where there is none to be had. */
  obtain(): Promise<SignIn>;
  /** After the server did not take this one: another, or undefined where there is no other. */
  renew(refused: SignIn): Promise<SignIn | undefined>;
  /** Where each caller goes with something of its own. */
  forCaller?(caller: Caller): UpstreamCredential;
}

/** Headers that an operator gave: there are no others. */
export function staticCredential(name: string, headers: readonly (readonly [string, string])[]): UpstreamCredential {
  const signIn = headers.flat();
  return { name, current: () => signIn, obtain: async () => signIn, renew: async () => undefined };
}

/** No way to call the server, for a reason that stays. */
export function missingCredential(fail: () => never): UpstreamCredential {
  return { name: '', current: fail, obtain: async () => fail(), renew: async () => undefined };
}

/** One that did not open: nothing is called in its place. */
export const unopened = missingCredential(() => {
  throw new GatewayError('upstream.credential', { fault: 'not opened' });
});
