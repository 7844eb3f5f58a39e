import { hash } from 'node:crypto';
import type { CredentialSecret } from '@portcullis/contracts/credentials';
import { GatewayError } from '@portcullis/contracts/errors';
import { exchangeToken, requestClientToken, type OauthFetch } from '@portcullis/secrets';
import type { Caller } from '../../caller/authenticate.js';
import { tokenCredential } from './token-credential.js';
import { missingCredential, type SignIn, type UpstreamCredential } from './upstream-credential.js';

type Exchange = Extract<CredentialSecret, { kind: 'token-exchange' }>;

interface Exchanged {
  readonly credential: UpstreamCredential;
  /** When the token that is exchanged ends; epoch milliseconds. */
  readonly until: number;
}

const EXCHANGED_MAX = 10_000;
const SWEEP_MS = 60_000;

/**
 * What calls go with at a server that wants to know for whom they are: a token of the caller's own, for which the caller's access token is exchanged
 * (RFC 8693). Only at the issuer whose token it is; the token itself goes nowhere else. Kept for each token that was exchanged, so that none opens more than
 * it gave. What no agent calls for, such as listening for changes, goes with a token for this installation itself.
 */
export class ExchangeCredential implements UpstreamCredential {
  private readonly exchanged = new Map<string, Exchanged>();
  private readonly own: UpstreamCredential;
  private sweepAt = 0;

  constructor(
    readonly name: string,
    private readonly exchange: Exchange,
    private readonly parts: { readonly fetch: OauthFetch; readonly now: () => number },
  ) {
    this.own = tokenCredential(name, () => requestClientToken(exchange.client, parts.fetch), parts.now);
  }

  current(): ReturnType<UpstreamCredential['current']> {
    return this.own.current();
  }

  obtain(): ReturnType<UpstreamCredential['obtain']> {
    return this.own.obtain();
  }

  renew(refused: SignIn): ReturnType<UpstreamCredential['renew']> {
    return this.own.renew(refused);
  }

  forCaller({ agent, accessToken, principal = '', expiresAt = 0 }: Caller): UpstreamCredential {
    if (accessToken?.issuer !== this.exchange.subjectIssuer) return nobodyToSpeakFor;
    const { token } = accessToken;
    const digest = hash('sha256', token, 'base64url');
    const known = this.exchanged.get(digest);
    if (known !== undefined) return known.credential;
    this.sweep();
    const { client, audience } = this.exchange;
    const target = { scope: client.scope, resource: client.resource, audience };
    const fetchToken = () => exchangeToken(token, { client, target }, this.parts.fetch);
    // Sessions go on with another token of the same agent for the same person.
    const credential = tokenCredential(`${this.name}#${agent.id}#${principal}`, fetchToken, this.parts.now);
    this.exchanged.set(digest, { credential, until: expiresAt });
    return credential;
  }

  /** Tokens that nobody can call with any more are not kept in memory. */
  private sweep(): void {
    const now = this.parts.now();
    if (now < this.sweepAt && this.exchanged.size < EXCHANGED_MAX) return;
    this.sweepAt = now + SWEEP_MS;
    for (const [digest, { until }] of this.exchanged) if (until <= now) this.exchanged.delete(digest);
    for (const digest of this.exchanged.keys()) {
      if (this.exchanged.size < EXCHANGED_MAX) break;
      this.exchanged.delete(digest);
    }
  }
}

const nobodyToSpeakFor = missingCredential(() => {
  throw new GatewayError('upstream.credential', { fault: 'called without an access token of the issuer where it could be exchanged' });
});
