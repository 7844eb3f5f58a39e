import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWK, type JWSHeaderParameters, type LocalJWKSet } from 'jose';
import { readJson } from './oauth/read-json.js';

/** Who signs, and where its keys are if not where its metadata says. */
export interface KeySource {
  readonly issuer: string;
  readonly jwksUri?: string | undefined;
}

export interface IssuerKeysOptions {
  /** The way out; must follow no redirect and bound how much it takes. */
  readonly fetch: (url: string, init: { signal: AbortSignal; headers: Record<string, string> }) => Promise<Response>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Keys were not to be had; those that are known go on. */
  readonly onTrouble: (issuer: string, error: unknown) => void;
}

/** No key of this issuer is known, and none is to be had now. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
}

/** After this long keys are looked for again, behind whoever uses the old ones. */
const FRESH_MS = 300_000;
/** Keys that nobody could confirm for so long are known no more. */
const STALE_MS_MAX = 86_400_000;
/** So far apart an issuer is asked, whatever tokens say: an unknown key id is free to make up. */
const COOL_DOWN_MS = 30_000;
/** The same while nothing is known of it. */
const RETRY_MS = 2000;
const DEADLINE_MS = 5000;
const KEYS_MAX = 64;
const SOURCES_MAX = 64;

interface Known {
  text: string;
  keys: LocalJWKSet | undefined;
  readAt: number;
  triedAt: number;
  reading: Promise<void> | undefined;
}

/** The public keys of issuers, as their JWKS says: each asked by one request at a time, seldom, and never while its known keys do. */
export class IssuerKeys {
  private readonly known = new Map<string, Known>();

  constructor(private readonly options: IssuerKeysOptions) {}

  /**
   * The key a token says it is signed with. Throws jose's `JWKSNoMatchingKey` where the issuer has none such, also after it was asked anew,
   * and KeysUnavailableError where nothing is known of it.
   */
  async keyFor(source: KeySource, header: JWSHeaderParameters, token: FlattenedJWSInput) {
    const known = this.entryOf(source);
    const { now } = this.options;
    if (known.keys === undefined || now() - known.readAt > STALE_MS_MAX) {
      await this.refresh(source, known, RETRY_MS);
      if (known.keys === undefined || now() - known.readAt > STALE_MS_MAX) throw new KeysUnavailableError(`No keys of ${source.issuer}`);
    } else if (now() - known.readAt > FRESH_MS) void this.refresh(source, known, COOL_DOWN_MS);
    try {
      return await known.keys(header, token);
    } catch (error) {
      const { text, keys } = known;
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.refresh(source, known, COOL_DOWN_MS);
      if (known.text === text) throw error;
      return await (known.keys ?? keys)(header, token);
    }
  }

  private entryOf({ issuer, jwksUri = '' }: KeySource): Known {
    const name = `${issuer} ${jwksUri}`;
    const known = this.known.get(name);
    if (known !== undefined) return known;
    if (this.known.size >= SOURCES_MAX) this.known.clear();
    const fresh: Known = { text: '', keys: undefined, readAt: -Infinity, triedAt: -Infinity, reading: undefined };
    this.known.set(name, fresh);
    return fresh;
  }

  /** Never throws; whoever comes while it runs waits for the same. */
  private refresh(source: KeySource, known: Known, pauseMs: number): Promise<void> {
    if (known.reading !== undefined) return known.reading;
    const { now, onTrouble } = this.options;
    if (now() - known.triedAt < pauseMs) return Promise.resolve();
    known.triedAt = now();
    known.reading = this.read(source)
      .then((set) => {
        const text = JSON.stringify(set);
        // The same keys stay the same objects: what was imported once is not imported again.
        if (text !== known.text) known.keys = createLocalJWKSet(set);
        known.text = text;
        known.readAt = now();
      })
      .catch((error: unknown) => onTrouble(source.issuer, error))
      .finally(() => {
        known.reading = undefined;
      });
    return known.reading;
  }

  private async read({ issuer, jwksUri }: KeySource): Promise<JSONWebKeySet> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const set = await this.readJson(jwksUri ?? (await this.discover(issuer, signal)), signal);
    const keys = set?.['keys'];
    if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new Error('The answer is no key set, or one of too many keys');
    return { keys: keys.filter(isPublicSigningKey) };
  }

  private async discover(issuer: string, signal: AbortSignal): Promise<string> {
    for (const url of metadataUrls(issuer)) {
      const metadata = await this.readJson(url, signal);
      const uri = metadata?.['jwks_uri'];
      // RFC 8414 §3.3: somebody else's metadata under this address says nothing.
      if (metadata?.['issuer'] === issuer && typeof uri === 'string' && isAsSafeAs(issuer, uri)) return uri;
    }
    throw new Error('The issuer has no metadata that names its keys');
  }

  /** Undefined for an answer that is none. */
  private async readJson(url: string, signal: AbortSignal): Promise<Record<string, unknown> | undefined> {
    const response = await this.options.fetch(url, { signal, headers: { accept: 'application/json' } });
    const value = await readJson(response);
    const isObject = response.status === 200 && typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  }
}

/** RFC 8414 §3.1 and OpenID Connect Discovery §4, in the order that MCP gives them. */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const inserted = ['oauth-authorization-server', 'openid-configuration'].map((name) => `${origin}/.well-known/${name}${path}`);
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}

/** Who takes an issuer's word over TLS does not take its keys without. */
const isAsSafeAs = (issuer: string, uri: string): boolean =>
  URL.canParse(uri) && (new URL(uri).protocol === 'https:' || new URL(uri).protocol === new URL(issuer).protocol);

function isPublicSigningKey(key: unknown): key is JWK {
  if (typeof key !== 'object' || key === null) return false;
  const { kty, use, d } = key as JWK;
  return (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && (use === undefined || use === 'sig') && d === undefined;
}
