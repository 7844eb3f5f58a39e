import type { CredentialConfig, CredentialOauth } from '@portcullis/contracts/api/credentials';
import type { ClientAuthentication } from '@portcullis/contracts/credentials';
import { readJson, textMember } from '@portcullis/secrets';
import type { ServerMetadata } from './authorization-metadata.js';
import { OauthFault } from './oauth-fault.js';
import type { OauthWays } from './oauth-ways.js';
import { requireEndpoint } from './require-endpoint.js';

/** Who this installation is to an authorization server. */
export interface ChosenClient {
  readonly clientId: string;
  readonly clientSecret: string | null;
  readonly authentication: ClientAuthentication;
  readonly client: CredentialOauth['client'];
}

const PATIENCE_MS = 10_000;
/** Stands for the client that would be registered. */
const NOT_YET: ChosenClient = { clientId: 'not yet registered', clientSecret: null, authentication: 'none', client: 'registered' };

/** The client that was configured; else our metadata document, where the server takes such; else one registered now, where it offers that. */
export async function chooseClient(
  config: Exclude<CredentialConfig, { kind: 'headers' | 'environment' }>,
  server: ServerMetadata | undefined,
  ways: OauthWays,
): Promise<ChosenClient> {
  const { clientId, clientSecret = null } = config;
  if (clientId !== undefined) {
    const authentication = config.authentication ?? usualAuthentication(clientSecret, server);
    return { clientId, clientSecret, authentication, client: 'configured' };
  }
  if (server?.client_id_metadata_document_supported === true && ways.metadataDocument !== undefined) {
    return { clientId: ways.metadataDocument, clientSecret: null, authentication: 'none', client: 'metadata-document' };
  }
  if (server?.registration_endpoint === undefined) throw new OauthFault('The authorization server registers no clients by itself. Give a clientId.');
  requireEndpoint(server.registration_endpoint, ways);
  return ways.isRehearsal === true ? NOT_YET : register(server.registration_endpoint, server, ways);
}

function usualAuthentication(clientSecret: string | null, server: ServerMetadata | undefined): ClientAuthentication {
  if (clientSecret === null) return 'none';
  const known = server?.token_endpoint_auth_methods_supported;
  return known?.includes('client_secret_basic') === false && known.includes('client_secret_post') ? 'client_secret_post' : 'client_secret_basic';
}

/** What a client of this installation says of itself, registered or by its document. */
export const clientMetadata = (redirectUris: readonly string[]) => ({
  client_name: 'Portcullis',
  redirect_uris: redirectUris,
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
});

/** Dynamic registration (RFC 7591), as a public client where the server lets it. */
async function register(endpoint: string, server: ServerMetadata, { egress, redirectUris }: OauthWays): Promise<ChosenClient> {
  const methods = server.token_endpoint_auth_methods_supported;
  const authentication = methods === undefined || methods.includes('none') ? 'none' : usualAuthentication('', server);
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const body = JSON.stringify({ ...clientMetadata(redirectUris), token_endpoint_auth_method: authentication });
  const init = { method: 'POST', headers, body, signal: AbortSignal.timeout(PATIENCE_MS) };
  const response = await egress.fetch(endpoint, init).catch((error: unknown) => {
    throw new OauthFault('The authorization server could not be reached for registration.', { cause: error });
  });
  const given = await readJson(response).catch(() => undefined);
  const clientId = textMember(given, 'client_id');
  if (!response.ok || clientId === undefined)
    throw new OauthFault(`The authorization server registered no client (HTTP ${response.status}). Give a clientId.`);
  return { clientId, clientSecret: textMember(given, 'client_secret') ?? null, authentication, client: 'registered' };
}
