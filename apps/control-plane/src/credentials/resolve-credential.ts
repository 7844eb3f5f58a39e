import type { CredentialConfig, CredentialOauth } from '@portcullis/contracts/api/credentials';
import { readResourceMetadata, readServerMetadata, type ResourceMetadata, type ServerMetadata } from './authorization-metadata.js';
import { chooseClient } from './choose-client.js';
import { OauthFault } from './oauth-fault.js';
import type { OauthWays } from './oauth-ways.js';
import { requireEndpoint } from './require-endpoint.js';
import type { ResolvedCredential } from './stored-credential.js';

type OauthConfig = Exclude<CredentialConfig, { kind: 'headers' | 'environment' }>;

/** Finds out what a credential does not say itself: where its tokens come from, and for what. Throws an OauthFault for what cannot work. */
export async function resolveCredential(config: CredentialConfig, serverUrl: string, ways: OauthWays): Promise<ResolvedCredential> {
  const { origin } = new URL(serverUrl);
  if (config.kind === 'headers') {
    const headers = config.headers.map(({ name, value }): [string, string] => [name.toLowerCase(), value]);
    return { settings: { ...none, origin, headers: headers.map(([name]) => name) }, secret: { kind: 'headers', headers } };
  }
  if (config.kind === 'environment') {
    const variables = config.variables.map(({ name, value }): [string, string] => [name, value]);
    return { settings: { ...none, origin, variables: variables.map(([name]) => name) }, secret: { kind: 'environment', variables } };
  }
  const { oauth, clientSecret, requiresIss } = await resolveOauth(config, serverUrl, ways);
  const settings = { ...none, origin, oauth, requiresIss };
  if (config.kind !== 'authorization-code') return { settings, secret: { kind: config.kind, clientSecret: config.clientSecret } };
  return { settings, secret: { kind: config.kind, clientSecret } };
}

const none = { headers: [], variables: [], oauth: null, requiresIss: false };

interface ResolvedOauth {
  readonly oauth: CredentialOauth;
  readonly clientSecret: string | null;
  readonly requiresIss: boolean;
}

async function resolveOauth(config: OauthConfig, serverUrl: string, ways: OauthWays): Promise<ResolvedOauth> {
  const isConnection = config.kind === 'authorization-code';
  const authorizationEndpoint = isConnection ? config.authorizationEndpoint : undefined;
  const isComplete = config.tokenEndpoint !== undefined && (!isConnection || (authorizationEndpoint !== undefined && config.clientId !== undefined));
  const found = isComplete ? undefined : await findAuthorization(config.issuer, serverUrl, ways);
  const endpoints = {
    tokenEndpoint: config.tokenEndpoint ?? found?.server.token_endpoint ?? '',
    authorizationEndpoint: isConnection ? (authorizationEndpoint ?? found?.server.authorization_endpoint ?? null) : null,
  };
  if (isConnection && endpoints.authorizationEndpoint === null) throw new OauthFault('The authorization server has no authorization endpoint.');
  if (isConnection && found !== undefined) requirePkce(found.server);
  for (const endpoint of [endpoints.tokenEndpoint, endpoints.authorizationEndpoint]) if (endpoint !== null) requireEndpoint(endpoint, ways);
  const client = await chooseClient(config, found?.server, ways);
  const oauth: CredentialOauth = {
    issuer: found?.server.issuer ?? config.issuer ?? null,
    ...endpoints,
    clientId: client.clientId,
    client: client.client,
    authentication: client.authentication,
    scopes: config.scopes ?? (isConnection ? [...(found?.resource?.scopes ?? [])] : []),
    resource: config.resource === undefined ? (found?.resource?.resource ?? withoutFragment(serverUrl)) : config.resource,
    ...(config.kind === 'token-exchange' && { exchange: exchangeOf(config, found?.server.issuer) }),
  };
  return { oauth, clientSecret: client.clientSecret, requiresIss: found?.server.authorization_response_iss_parameter_supported ?? false };
}

/** An agent's token is shown to nobody but the server that made it, unless an operator says who else may see it: never because a server says so. */
function exchangeOf(
  { subjectIssuer, issuer, tokenEndpoint, audience }: Extract<OauthConfig, { kind: 'token-exchange' }>,
  found: string | undefined,
): CredentialOauth['exchange'] {
  const whose = subjectIssuer ?? found ?? issuer;
  if (whose === undefined) throw new OauthFault('Say whose tokens are exchanged: subjectIssuer.');
  if (whose !== found && issuer === undefined && tokenEndpoint === undefined)
    throw new OauthFault(
      'The server names another authorization server than the one whose tokens are exchanged. Say who is shown them: issuer or tokenEndpoint.',
    );
  return { subjectIssuer: whose, audience: audience ?? null };
}

async function findAuthorization(
  issuer: string | undefined,
  serverUrl: string,
  ways: OauthWays,
): Promise<{ resource: ResourceMetadata | undefined; server: ServerMetadata }> {
  const fetch = (url: string, init?: RequestInit): Promise<Response> => ways.egress.fetch(url, init);
  const resource = await readResourceMetadata(serverUrl, fetch);
  const chosen = issuer ?? resource?.issuers[0] ?? new URL(serverUrl).origin;
  if (!URL.canParse(chosen)) throw new OauthFault('The server names an authorization server that is no URL.');
  requireEndpoint(chosen, ways);
  return { resource, server: await readServerMetadata(chosen, fetch) };
}

/** A connection without PKCE could be taken over by whoever sees the code (OAuth 2.1 §7.5.2; MCP refuses such servers). */
function requirePkce({ code_challenge_methods_supported: methods }: ServerMetadata): void {
  if (!methods.includes('S256')) throw new OauthFault('The authorization server does not say that it knows PKCE with S256.');
}

const withoutFragment = (url: string): string => url.replace(/#.*$/, '');
