import type { OauthFetch } from './read-json.js';
import { requestToken, type GivenToken, type TokenClient } from './request-token.js';
import { TokenError } from './token-error.js';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** What a token is exchanged for: which server it is for (RFC 8707), what its issuer calls that, and for which scopes. */
export interface ExchangeTarget {
  readonly scope: string | null;
  readonly resource: string | null;
  readonly audience: string | null;
}

/** Exchanges somebody's access token for another one in their name (RFC 8693 §2.1). Throws a TokenError, also where it is given the same token back. */
export async function exchangeToken(
  subjectToken: string,
  { client, target }: { readonly client: TokenClient; readonly target: ExchangeTarget },
  fetch: OauthFetch,
): Promise<GivenToken> {
  const { scope, resource, audience } = target;
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    requested_token_type: ACCESS_TOKEN,
    ...(scope !== null && { scope }),
    ...(resource !== null && { resource }),
    ...(audience !== null && { audience }),
  };
  const given = await requestToken(client, grant, fetch);
  if (given.accessToken === subjectToken)
    throw new TokenError('refused', 'the authorization server gave back the token that it was asked to exchange');
  return given;
}
