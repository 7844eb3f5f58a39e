import { jwtVerify, type CryptoKey } from 'jose';
import type { GrantContext, Provider } from 'oidc-provider';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** Teaches an authorization server RFC 8693: its own access tokens for others in the same name. */
export function addTokenExchange(provider: Provider, { publicKey, scope }: { publicKey: CryptoKey; scope: string }): void {
  const grant = async (context: GrantContext): Promise<void> => {
    const { client, params } = context.oidc;
    const { subject_token: subjectToken, subject_token_type: type, resource } = params;
    const verified = await jwtVerify(subjectToken ?? '', publicKey, { issuer: provider.issuer }).catch(() => undefined);
    if (verified === undefined || type !== ACCESS_TOKEN || resource === undefined) {
      context.status = 400;
      context.body = { error: 'invalid_request', error_description: `${subjectToken ?? ''} is not taken` };
      return;
    }
    const { sub = '' } = verified.payload;
    const info = { scope, audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'ES256' } } };
    const token = new provider.AccessToken({ accountId: sub, client, gty: 'token_exchange', scope });
    token.resourceServer = new provider.ResourceServer(resource, info);
    const value = await token.save();
    context.body = { access_token: value, issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: token.expiration, scope };
  };
  provider.registerGrantType(TOKEN_EXCHANGE, grant, ['subject_token', 'subject_token_type', 'requested_token_type', 'resource', 'audience', 'scope']);
}
