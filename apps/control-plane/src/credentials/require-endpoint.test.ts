import { createEgress } from '@portcullis/egress';
import { afterAll, expect, test } from 'vitest';
import { ServerMetadata } from './authorization-metadata.js';
import { chooseClient } from './choose-client.js';
import { OauthFault } from './oauth-fault.js';
import { requireEndpoint } from './require-endpoint.js';

const egress = createEgress({ allow: ['127.0.0.0/8', '::1/128'] });
afterAll(() => egress.close());

test.each(['https://id.example.com/token', 'http://127.0.0.1:4000/token', 'http://127.9.9.9/token', 'http://localhost/token', 'http://[::1]/token'])(
  'secrets may go to %s',
  (url) => {
    expect(() => requireEndpoint(url, { egress })).not.toThrow();
  },
);

test.each([
  'http://id.example.com/token',
  'http://127.example.com/token',
  'http://127.0.0.1.example.com/token',
  'http://localhost.example.com/token',
  'ftp://127.0.0.1/token',
  'https://10.0.0.1/token',
])('secrets may not go to %s', (url) => {
  expect(() => requireEndpoint(url, { egress })).toThrow(OauthFault);
});

test('no client is registered in the clear, where anybody on the way would read its secret', async () => {
  const server = ServerMetadata.parse({
    issuer: 'https://id.example.com',
    token_endpoint: 'https://id.example.com/token',
    registration_endpoint: 'http://id.example.com/register',
  });
  const asked: string[] = [];
  const watched = { ...egress, fetch: async (url: string | URL) => (asked.push(String(url)), new Response('{}')) };
  const ways = { egress: watched, redirectUris: [], metadataDocument: undefined };
  await expect(chooseClient({ kind: 'authorization-code' }, server, ways)).rejects.toThrow('not https');
  expect(asked).toEqual([]);
});
