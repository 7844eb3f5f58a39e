import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { addTokenExchange, TOKEN_EXCHANGE } from './exchange-grant.js';

/** A real authorization server (OAuth 2.1, OpenID Connect) on this machine, whose one person signs in and agrees to everything. */
export interface AuthorizationServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A program that calls for itself. */
export const SERVICE = { clientId: 'service', clientSecret: 'a secret that is good for this test alone' };
/** A program that is given tokens in the place of others'. */
export const EXCHANGER = { clientId: 'gateway', clientSecret: 'another secret that is good for this test alone' };
/** A program that calls for a person, without a secret. */
export const DESKTOP = { clientId: 'desktop', redirectUri: 'http://127.0.0.1:9/callback' };
export const PERSON = 'user-17';
export const SCOPE = 'mcp';

/** Gives JWT access tokens (RFC 9068) for any resource that a client names (RFC 8707). */
export async function startAuthorizationServer(): Promise<AuthorizationServer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: 'signing', alg: 'ES256', use: 'sig' };
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const provider = new Provider(url, configurationWith(jwk));
  addTokenExchange(provider, { publicKey, scope: SCOPE });
  const serve = provider.callback();
  server.on('request', (request, response) => {
    const done = request.url?.startsWith('/interaction/') === true ? agree(provider, request, response) : serve(request, response);
    done.catch(() => response.destroy());
  });
  return {
    url,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function configurationWith(jwk: object): object {
  return {
    jwks: { keys: [jwk] },
    cookies: { keys: ['not a secret: nobody else reaches this server'] },
    clients: [
      {
        client_id: SERVICE.clientId,
        client_secret: SERVICE.clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: EXCHANGER.clientId,
        client_secret: EXCHANGER.clientSecret,
        grant_types: ['client_credentials', TOKEN_EXCHANGE],
        redirect_uris: [],
        response_types: [],
      },
      { client_id: DESKTOP.clientId, application_type: 'native', redirect_uris: [DESKTOP.redirectUri], token_endpoint_auth_method: 'none' },
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    findAccount: (_context: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    scopes: ['openid', SCOPE],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: SCOPE,
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  };
}

async function agree(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: PERSON } });
  const grant = new provider.Grant({ accountId: session?.accountId ?? PERSON, clientId: String(params['client_id']) });
  grant.addOIDCScope(`openid ${SCOPE}`);
  if (typeof params['resource'] === 'string') grant.addResourceScope(params['resource'], SCOPE);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}
