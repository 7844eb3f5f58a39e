import { memberOf, readJson, textMember, type OauthFetch } from './read-json.js';
import { TokenError } from './token-error.js';

/** Who asks for a token, and where. */
export interface TokenClient {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly authentication: 'client_secret_basic' | 'client_secret_post' | 'none';
}

/** What a token endpoint gave. Times are epoch milliseconds; without an `expires_in` nobody knows when it ends. */
export interface GivenToken {
  readonly accessToken: string;
  readonly expiresAt: number | undefined;
  readonly refreshToken: string | undefined;
}

const PATIENCE_MS = 15_000;
const EXPIRES_IN_MAX = 366 * 86_400;
/** What a bearer token is made of (RFC 6750 §2.1); nothing in it can end a header. */
const tokenShape = /^[A-Za-z0-9._~+/-]{1,16384}=*$/;

/** Asks a token endpoint (RFC 6749 §3.2). Throws a TokenError, which repeats nothing of what was sent. */
export async function requestToken(client: TokenClient, grant: Readonly<Record<string, string>>, fetch: OauthFetch): Promise<GivenToken> {
  const form = new URLSearchParams(grant);
  const headers: Record<string, string> = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
  if (client.authentication === 'client_secret_basic') headers['authorization'] = basic(client);
  else form.set('client_id', client.clientId);
  if (client.authentication === 'client_secret_post') form.set('client_secret', client.clientSecret ?? '');
  const askedAt = Date.now();
  let response: Response;
  let body: unknown;
  try {
    const init = { method: 'POST', headers, body: form.toString(), signal: AbortSignal.timeout(PATIENCE_MS) };
    response = await fetch(client.tokenEndpoint, init);
    body = await readJson(response);
  } catch (error) {
    throw new TokenError('unavailable', 'the authorization server could not be reached', { cause: error });
  }
  if (!response.ok) throw refusal(response.status, body);
  return tokenOf(body, askedAt);
}

/** The form encoding of both halves (RFC 6749 §2.3.1), without which a `:` in an id would move the border. */
function basic({ clientId, clientSecret = '' }: TokenClient): string {
  const encoded = (text: string): string => new URLSearchParams({ a: text }).toString().slice(2);
  return `Basic ${Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString('base64')}`;
}

function refusal(status: number, body: unknown): TokenError {
  const code = textMember(body, 'error');
  if (status < 500 && status !== 429 && code !== undefined && /^[a-z_]{1,64}$/.test(code)) return new TokenError('refused', code);
  const isRefusal = status === 400 || status === 401 || status === 403;
  return new TokenError(isRefusal ? 'refused' : 'unavailable', `the authorization server answered with HTTP ${status}`);
}

function tokenOf(body: unknown, askedAt: number): GivenToken {
  const accessToken = textMember(body, 'access_token');
  if (accessToken === undefined || !tokenShape.test(accessToken)) throw new TokenError('unavailable', 'the authorization server gave no token');
  const type = textMember(body, 'token_type');
  // One that is bound to a key, or sent otherwise, would only be refused.
  if (type !== undefined && type.toLowerCase() !== 'bearer') throw new TokenError('refused', 'the authorization server gave a token of another type');
  const seconds = Number(memberOf(body, 'expires_in'));
  const isTold = Number.isFinite(seconds) && seconds > 0;
  return {
    accessToken,
    expiresAt: isTold ? askedAt + Math.min(seconds, EXPIRES_IN_MAX) * 1000 : undefined,
    refreshToken: textMember(body, 'refresh_token'),
  };
}

/** A token for the client itself (RFC 6749 §4.4), for one resource (RFC 8707). */
export function requestClientToken(
  client: TokenClient & { readonly scope: string | null; readonly resource: string | null },
  fetch: OauthFetch,
): Promise<GivenToken> {
  const grant: Record<string, string> = { grant_type: 'client_credentials' };
  if (client.scope !== null) grant['scope'] = client.scope;
  if (client.resource !== null) grant['resource'] = client.resource;
  return requestToken(client, grant, fetch);
}
