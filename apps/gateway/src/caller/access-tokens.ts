import { hash } from 'node:crypto';
import { GatewayError } from '@portcullis/contracts/errors';
import type { SettingsEntry } from '@portcullis/contracts/snapshot';
import { ClaimValue, identityKeyId, type TokenIssuer } from '@portcullis/contracts/token-issuers';
import { CLOCK_SKEW_MS, TokenRefusedError, verifyAccessToken, type AccessToken, type IssuerKeys } from '@portcullis/secrets';
import type { PolicySnapshot } from '@portcullis/snapshot';
import { LRUCache } from '../memory/lru-cache.js';

/** Whom a verified token is of. */
interface TokenHolder {
  /** Under which the agent is found, if an agent is called so. */
  readonly keyId: string;
  /** The subject the agent speaks for, where that is somebody else. */
  readonly onBehalfOf: string | undefined;
  /** Tells that subject apart from the agent's others. */
  readonly principal: string | undefined;
  readonly audiences: readonly string[];
  readonly issuer: TokenIssuer;
  readonly lacksScope: boolean;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** What is known of a token: whose it is, or why it is refused. */
interface Judgement {
  readonly holder: TokenHolder | undefined;
  readonly reason: string;
  /** The settings it was judged by; others judge anew. */
  readonly settings: SettingsEntry;
  /** Epoch milliseconds after which it is judged anew. */
  readonly until: number;
}

const REMEMBERED_MAX = 10_000;
const REFUSED_MAX = 1000;
const LEARN_TIMES_MAX = 3;
/** A key that its issuer took back makes a token good no longer than this. */
const GOOD_MS = 300_000;
/** No longer than for the request it came with. */
const REFUSED_MS = 1000;

/**
 * Access tokens of the issuers that the snapshot trusts. Verifying takes asynchronous work and now and then an answer of the issuer, so it is done
 * before a request is let in and remembered by the token's hash; what is decided by it is read from memory at each request.
 */
export class AccessTokens {
  private readonly good = new LRUCache<Judgement>(REMEMBERED_MAX);
  private readonly refused = new LRUCache<Judgement>(REFUSED_MAX);
  /** The token that was looked at last, so that one request hashes its token once. */
  private last = { token: '', digest: '' };

  constructor(
    private readonly keys: IssuerKeys,
    private readonly policy: { current(): PolicySnapshot | undefined },
    private readonly now: () => number,
  ) {}

  /** Whether nothing is known of a token by the present settings, so that it has to be learnt first. */
  isNews(token: string): boolean {
    const settings = this.policy.current()?.settings;
    return settings?.tokenIssuers !== undefined && this.find(token, settings) === undefined;
  }

  /** Finds out whose token it is. Never throws: what is wrong with it is said by `open`. */
  async learn(token: string): Promise<void> {
    // What was found out by settings that have changed meanwhile says nothing.
    for (let times = 0; times < LEARN_TIMES_MAX && this.isNews(token); times += 1) await this.judge(token);
  }

  private async judge(token: string): Promise<void> {
    const settings = this.policy.current()?.settings;
    if (settings === undefined) return;
    const now = this.now();
    try {
      const rulesOf = (issuer: string): TokenIssuer | undefined => issuerOf(settings, issuer);
      const verified = await verifyAccessToken(token, { rulesOf, keys: this.keys }, now);
      const holder = holderOf(verified, issuerOf(settings, verified.issuer));
      const until = Math.min(holder.expiresAt + CLOCK_SKEW_MS, now + GOOD_MS);
      this.good.set(this.digestOf(token), { holder, reason: '', settings, until });
    } catch (error) {
      if (!(error instanceof TokenRefusedError)) throw error;
      this.good.delete(this.digestOf(token)); // else what it was good for would hide why it is refused
      this.refused.set(this.digestOf(token), { holder: undefined, reason: error.reason, settings, until: this.now() + REFUSED_MS });
    }
  }

  /** Whose token it is. Throws `auth.required` for one that is refused or for somebody else, `node.issuer_unavailable` where nobody could tell. */
  open(token: string, { settings }: PolicySnapshot, path: string): TokenHolder {
    const known = this.find(token, settings);
    if (known?.reason === 'keys_unavailable') throw new GatewayError('node.issuer_unavailable');
    if (known?.holder === undefined) throw refusedToken(known?.reason ?? (settings.tokenIssuers === undefined ? 'no_token_issuer' : 'unverified'));
    const { holder } = known;
    if (!isFor(holder, settings.publicUrl ?? '', path)) throw refusedToken('other_audience', holder.keyId);
    return holder;
  }

  private find(token: string, settings: SettingsEntry): Judgement | undefined {
    const digest = this.digestOf(token);
    const known = this.good.get(digest) ?? this.refused.get(digest);
    return known?.settings === settings && this.now() < known.until ? known : undefined;
  }

  /** No token stays in memory but the last. */
  private digestOf(token: string): string {
    if (this.last.token !== token) this.last = { token, digest: hash('sha256', token, 'hex') };
    return this.last.digest;
  }
}

const issuerOf = ({ tokenIssuers = [] }: SettingsEntry, issuer: string): TokenIssuer | undefined => tokenIssuers.find((one) => one.issuer === issuer);

function holderOf({ issuer: name, claims, audiences, scopes, expiresAt }: AccessToken, issuer: TokenIssuer | undefined): TokenHolder {
  if (issuer === undefined) throw new TokenRefusedError('unknown_issuer');
  const { agentClaim, subjectClaim, requiredScopes } = issuer;
  const agent = ClaimValue.safeParse(claims[agentClaim]);
  if (!agent.success) throw new TokenRefusedError('malformed_token');
  const keyId = identityKeyId(name, agent.data);
  const subject = subjectClaim === null ? undefined : ClaimValue.safeParse(claims[subjectClaim]).data;
  // A client that got its token for itself is its own subject (RFC 9068 §2.2).
  const onBehalfOf = subject === agent.data ? undefined : subject;
  const principal = onBehalfOf === undefined ? undefined : hash('sha256', `${keyId}\n${onBehalfOf}`, 'base64url');
  return { keyId, onBehalfOf, principal, audiences, issuer, lacksScope: requiredScopes.some((scope) => !scopes.has(scope)), expiresAt };
}

/** Letter for letter for the whole gateway, for this endpoint of it, or for what the issuer calls it. */
function isFor({ audiences, issuer }: TokenHolder, publicUrl: string, path: string): boolean {
  const endpoint = publicUrl + path;
  return audiences.some((one) => one === endpoint || one === publicUrl || one === `${publicUrl}/` || issuer.audiences.includes(one));
}

const refusedToken = (reason: string, keyId: string | null = null): GatewayError =>
  new GatewayError('auth.required', { reason, keyId, isToken: true });
