import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { type IssuerKeys, KeysUnavailableError, type KeySource } from './issuer-keys.js';

/** Whose tokens are taken, and how they have to be signed. */
export interface TokenRules extends KeySource {
  readonly algorithms: readonly string[];
  readonly lifetimeSecondsMax: number;
}

/** A token that its issuer signed and whose time it is. Whom it is for is still to be judged. */
export interface AccessToken {
  readonly issuer: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly audiences: readonly string[];
  readonly scopes: ReadonlySet<string>;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export type TokenFault =
  | 'malformed_token'
  | 'unknown_issuer'
  | 'forbidden_header'
  | 'bad_signature'
  | 'expired'
  | 'not_yet_valid'
  | 'lives_too_long'
  | 'bound_to_sender'
  | 'keys_unavailable';

/** Why a token is not taken. */
export class TokenRefusedError extends Error {
  override readonly name = 'TokenRefusedError';

  constructor(
    readonly reason: TokenFault,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

/** How far clocks may be apart. */
export const CLOCK_SKEW_MS = 30_000;
export const ACCESS_TOKEN_CHARS_MAX = 8192;

const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']);
/** A token says by itself where its key is, or that it has to be read in some other way: none of that is for it to say. */
const FORBIDDEN_HEADERS = ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c', 'zip', 'enc'] as const;
const KID_CHARS_MAX = 256;

/** Whether a bearer credential can be a JWT at all: its first part is the JSON of an object. */
export const looksLikeJwt = (text: string, from = 0): boolean => text.startsWith('eyJ', from);

/**
 * Verifies a JWT access token (RFC 9068, and those that are less strict about `typ`) of one of the trusted issuers; `now` in epoch milliseconds. No
 * claim is believed before the signature, but `iss`, which only chooses among those that are trusted. Throws TokenRefusedError.
 */
export async function verifyAccessToken(
  token: string,
  trusted: { readonly rulesOf: (issuer: string) => TokenRules | undefined; readonly keys: IssuerKeys },
  now: number,
): Promise<AccessToken> {
  if (token.length > ACCESS_TOKEN_CHARS_MAX) throw new TokenRefusedError('malformed_token');
  const { issuer } = unverified(token);
  const rules = issuer === undefined ? undefined : trusted.rulesOf(issuer);
  if (issuer === undefined || rules === undefined) throw new TokenRefusedError('unknown_issuer');
  // One algorithm under its two names (RFC 9864).
  const algorithms = rules.algorithms.flatMap((name) => (name === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [name]));
  const options = { algorithms, issuer, clockTolerance: CLOCK_SKEW_MS / 1000, currentDate: new Date(now), requiredClaims: ['exp', 'aud'] };
  const keyOf: JWTVerifyGetKey = (header, input) => trusted.keys.keyFor(rules, header, input);
  try {
    const { payload } = await jwtVerify(token, keyOf, options);
    return judged(payload, { issuer, rules, now });
  } catch (error) {
    throw error instanceof TokenRefusedError ? error : new TokenRefusedError(faultOf(error), { cause: error });
  }
}

/** What the token says of itself, as far as it is needed to find out who could vouch for it. */
function unverified(token: string): { issuer: string | undefined } {
  try {
    const header = decodeProtectedHeader(token);
    const { typ, kid } = header;
    const isPlain = FORBIDDEN_HEADERS.every((name) => header[name] === undefined) && (typ === undefined || TYPES.has(typ.toLowerCase()));
    if (!isPlain || (kid !== undefined && (typeof kid !== 'string' || kid.length > KID_CHARS_MAX))) throw new TokenRefusedError('forbidden_header');
    const { iss } = decodeJwt(token);
    return { issuer: typeof iss === 'string' ? iss : undefined };
  } catch (error) {
    throw error instanceof TokenRefusedError ? error : new TokenRefusedError('malformed_token', { cause: error });
  }
}

function judged(claims: JWTPayload, { issuer, rules, now }: { issuer: string; rules: TokenRules; now: number }): AccessToken {
  const { exp = 0, iat, aud = [] } = claims;
  const madeAt = iat === undefined ? now / 1000 : iat;
  if (iat !== undefined && iat * 1000 > now + CLOCK_SKEW_MS) throw new TokenRefusedError('not_yet_valid');
  if (exp - madeAt > rules.lifetimeSecondsMax) throw new TokenRefusedError('lives_too_long');
  // Bound to a key that the caller would have to prove (RFC 9449, RFC 8705): whoever sends it as a plain bearer token may have stolen it.
  if (claims['cnf'] !== undefined) throw new TokenRefusedError('bound_to_sender');
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === 'string');
  return { issuer, claims, audiences, scopes: new Set(scopesOf(claims)), expiresAt: exp * 1000 };
}

/** `scope` as RFC 9068 has it, `scp` as some issuers do. */
function scopesOf({ scope, scp }: JWTPayload): string[] {
  const said = scope ?? scp;
  if (Array.isArray(said)) return said.filter((one) => typeof one === 'string');
  return typeof said === 'string' ? said.split(' ').filter((one) => one !== '') : [];
}

function faultOf(error: unknown): TokenFault {
  if (error instanceof KeysUnavailableError) return 'keys_unavailable';
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return error.claim === 'nbf' ? 'not_yet_valid' : 'malformed_token';
  return 'bad_signature';
}
