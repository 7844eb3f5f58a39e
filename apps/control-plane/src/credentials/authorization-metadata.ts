import { EgressRefused } from '@portcullis/egress';
import { memberOf, readJson, textMember, type OauthFetch } from '@portcullis/secrets';
import { z } from 'zod';
import { OauthFault } from './oauth-fault.js';

/** What a server says of itself as a protected resource (RFC 9728), as far as it is of use here. */
export interface ResourceMetadata {
  readonly resource: string | undefined;
  readonly issuers: readonly string[];
  readonly scopes: readonly string[];
}

const texts = z.array(z.string().max(500)).max(100).catch([]);

/** What an authorization server says of itself (RFC 8414). */
export const ServerMetadata = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string().optional(),
  token_endpoint: z.string(),
  registration_endpoint: z.string().optional(),
  scopes_supported: texts,
  code_challenge_methods_supported: texts,
  token_endpoint_auth_methods_supported: z.array(z.string()).optional().catch(undefined),
  client_id_metadata_document_supported: z.boolean().catch(false),
  authorization_response_iss_parameter_supported: z.boolean().catch(false),
});
export type ServerMetadata = z.infer<typeof ServerMetadata>;

const PATIENCE_MS = 10_000;

/**
 * What a server says of the authorization it wants: by the document that its 401 names, else by the well-known ones of its path and its origin. Undefined
 * where it says nothing. Throws an OauthFault where the document is about somebody else (RFC 9728 §3.3).
 */
export async function readResourceMetadata(serverUrl: string, fetch: OauthFetch): Promise<ResourceMetadata | undefined> {
  const { origin, pathname } = new URL(serverUrl);
  const { document, scopes } = await challengeOf(serverUrl, fetch);
  const wellKnown = `${origin}/.well-known/oauth-protected-resource`;
  const places = document === undefined ? [...(pathname === '/' ? [] : [wellKnown + pathname]), wellKnown] : [document];
  for (const place of places) {
    const found = await getJson(place, fetch);
    const issuers = memberOf(found, 'authorization_servers');
    if (found === undefined || !Array.isArray(issuers)) continue;
    const resource = textMember(found, 'resource');
    if (resource === undefined || !isAbout(resource, serverUrl))
      throw new OauthFault('What the server says of its authorization is about another server.');
    return { resource, issuers: texts.parse(issuers), scopes: scopes ?? texts.parse(memberOf(found, 'scopes_supported')) };
  }
  return scopes === undefined ? undefined : { resource: undefined, issuers: [], scopes };
}

/** What an authorization server says of itself, which must be about the issuer that was asked for (RFC 8414 §3.3). */
export async function readServerMetadata(issuer: string, fetch: OauthFetch): Promise<ServerMetadata> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const places = [`${origin}/.well-known/oauth-authorization-server${path}`, `${origin}/.well-known/openid-configuration${path}`];
  if (path !== '') places.push(`${origin}${path}/.well-known/openid-configuration`);
  for (const place of places) {
    const found = ServerMetadata.safeParse(await getJson(place, fetch));
    if (!found.success) continue;
    if (bare(found.data.issuer) !== bare(issuer)) throw new OauthFault('The authorization server says that it is another one than was asked for.');
    return found.data;
  }
  throw new OauthFault('The authorization server says nothing of itself where it should (RFC 8414). Name its endpoints.');
}

const bare = (url: string): string => url.replace(/\/$/, '');

/** The resource is the server, or something that the server lies in. */
function isAbout(resource: string, serverUrl: string): boolean {
  if (!URL.canParse(resource)) return false;
  const [theirs, ours] = [new URL(resource), new URL(serverUrl)];
  if (theirs.origin !== ours.origin) return false;
  const within = theirs.pathname.endsWith('/') ? theirs.pathname : `${theirs.pathname}/`;
  return ours.pathname === theirs.pathname || ours.pathname.startsWith(within);
}

/** Where a server's answer to a request without a token points, and which scopes it asks for. A server that asks for none answers as it likes. */
async function challengeOf(serverUrl: string, fetch: OauthFetch): Promise<{ document: string | undefined; scopes: string[] | undefined }> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
  const response = await ask(serverUrl, { method: 'POST', headers, body }, fetch);
  await response?.body?.cancel();
  const challenge = response?.status === 401 ? (response.headers.get('www-authenticate') ?? '') : '';
  const parameter = (name: string): string | undefined => new RegExp(`[ ,]${name}="([^"\\\\]{1,2048})"`, 'i').exec(challenge)?.[1];
  const document = parameter('resource_metadata');
  const scopes = parameter('scope')
    ?.split(' ')
    .filter((scope) => scope !== '');
  return { document: document !== undefined && URL.canParse(document) ? document : undefined, scopes };
}

async function getJson(url: string, fetch: OauthFetch): Promise<unknown> {
  const response = await ask(url, { headers: { accept: 'application/json' } }, fetch);
  if (response?.ok === true) return readJson(response);
  await response?.body?.cancel();
  return undefined;
}

/** Undefined where nothing answered. An address that is refused is the operator's to know. */
async function ask(url: string, init: RequestInit, fetch: OauthFetch): Promise<Response | undefined> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    if (error instanceof EgressRefused && error.code !== 'egress.redirect') throw new OauthFault(`${error.message}: ${new URL(url).host}`);
    return undefined;
  }
}
