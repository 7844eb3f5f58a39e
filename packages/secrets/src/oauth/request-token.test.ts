import { expect, test } from 'vitest';
import { requestClientToken, requestToken, type TokenClient } from './request-token.js';
import { TokenError } from './token-error.js';

const client: TokenClient = {
  tokenEndpoint: 'https://as.example.com/token',
  clientId: 'id:with colon',
  clientSecret: 'canary secret/+',
  authentication: 'client_secret_basic',
};

/** A token endpoint that answers with this, and what it was sent. */
function endpoint(status: number, body: unknown) {
  const sent: { url: string; headers: Headers; form: URLSearchParams }[] = [];
  const fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    sent.push({ url, headers: new Headers(init?.headers), form: new URLSearchParams(typeof init?.body === 'string' ? init.body : '') });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  return { fetch, sent };
}

const ended = async (work: Promise<unknown>): Promise<TokenError> => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TokenError);
  return error as TokenError;
};

test('a client proves itself by header, form-encoded, or in the form, as it is told', async () => {
  const { fetch, sent } = endpoint(200, { access_token: 'abc', token_type: 'Bearer', expires_in: 60 });
  await requestClientToken({ ...client, scope: 'a b', resource: 'https://mcp.example.com/mcp' }, fetch);
  await requestClientToken({ ...client, authentication: 'client_secret_post', scope: null, resource: null }, fetch);
  const [basic, post] = sent;
  expect(Buffer.from(basic?.headers.get('authorization')?.slice(6) ?? '', 'base64').toString()).toBe('id%3Awith+colon:canary+secret%2F%2B');
  expect(Object.fromEntries(basic?.form ?? [])).toEqual({ grant_type: 'client_credentials', scope: 'a b', resource: 'https://mcp.example.com/mcp' });
  expect(post?.headers.get('authorization')).toBeNull();
  expect(Object.fromEntries(post?.form ?? [])).toEqual({
    grant_type: 'client_credentials',
    client_id: 'id:with colon',
    client_secret: 'canary secret/+',
  });
});

test.each([
  [400, { error: 'invalid_grant', error_description: 'canary' }, 'refused', 'invalid_grant'],
  [401, 'canary', 'refused', 'HTTP 401'],
  [429, { error: 'slow_down' }, 'unavailable', 'HTTP 429'],
  [503, 'canary', 'unavailable', 'HTTP 503'],
  [200, 'canary', 'unavailable', 'no token'],
  [200, { access_token: 'a\r\nx-evil: 1' }, 'unavailable', 'no token'],
  [200, { access_token: 'abc', token_type: 'DPoP' }, 'refused', 'another type'],
  [200, `{"access_token":"abc","x":"${'a'.repeat(300_000)}"}`, 'unavailable', 'no token'],
])('HTTP %i with %j is %s, and repeats nothing of it', async (status, body, fault, reason) => {
  const error = await ended(requestToken(client, { grant_type: 'refresh_token', refresh_token: 'canary' }, endpoint(status, body).fetch));
  expect([error.fault, error.message]).toEqual([fault, expect.stringContaining(reason)]);
  expect([error.message, error.reason, error.stack].join()).not.toContain('canary');
});

test('a way out that is closed is no refusal of the authorization server', async () => {
  const error = await ended(requestToken(client, {}, () => Promise.reject(new Error('refused'))));
  expect(error.fault).toBe('unavailable');
});
