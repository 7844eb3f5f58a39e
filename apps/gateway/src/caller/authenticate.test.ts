import { newBearer } from '@portcullis/secrets';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { anAgent } from '../testing/policy-builders.js';

const good = anAgent('good');
const disabled = anAgent('disabled', { enabled: false });
const expired = anAgent('expired');
const expiredKeys = expired.keys.map((key) => ({ ...key, expiresAt: Date.now() - 1 }));
const otherPepper = anAgent('other-pepper');
const otherKeys = otherPepper.keys.map((key) => ({ ...key, pepperId: 'unknown' }));
const agents = [good, disabled, { ...expired, keys: expiredKeys }, { ...otherPepper, keys: otherKeys }];
const { gateway, events, live } = buildGateway(aSnapshot({ agents }));
let server: GatewayServer;

beforeAll(async () => {
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close(0));

async function ping(authorization: string | undefined, more: Record<string, string> = {}, query = '') {
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/mcp${query}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(authorization !== undefined && { authorization }),
      ...more,
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  });
  return { status: response.status, challenge: response.headers.get('www-authenticate'), text: await response.text() };
}

const refusal = { status: 401, challenge: 'Bearer', text: '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Unauthorized"}}' };
const last = good.token.at(-1) === 'A' ? 'E' : 'A';

describe('an agent key', () => {
  test.each([['Bearer'], ['bearer'], ['BEARER']])('opens the door under the scheme %s', async (scheme) => {
    expect(await ping(`${scheme} ${good.token}`)).toMatchObject({ status: 200 });
  });

  test.each<[string, string | undefined]>([
    ['none', undefined],
    ['the scheme alone', 'Bearer'],
    ['another scheme', `Basic ${good.token}`],
    ['no scheme', good.token],
    ['two spaces', `Bearer  ${good.token}`],
    ['a comma behind', `Bearer ${good.token},`],
    ['8 KiB', `Bearer ${'x'.repeat(8192)}`],
    ['a JWT without algorithm', 'Bearer eyJhbGciOiJub25lIn0.e30.'],
    ['an unknown key', `Bearer ${newBearer('agent').token}`],
    ['a key of an operator', `Bearer ${newBearer('operator').token}`],
    ['the last character off', `Bearer ${good.token.slice(0, -1)}${last}`],
    ['of a disabled agent', `Bearer ${disabled.token}`],
    ['expired', `Bearer ${expired.token}`],
    ['hashed under a pepper this node lacks', `Bearer ${otherPepper.token}`],
  ])('that is %s is refused with one body for all', async (_what, authorization) => {
    expect(await ping(authorization)).toEqual(refusal);
  });

  test('in a query or a cookie is none', async () => {
    expect(await ping(undefined, {}, `?access_token=${good.token}`)).toEqual(refusal);
    expect(await ping(undefined, { cookie: `authorization=Bearer ${good.token}` })).toEqual(refusal);
  });

  test('that was refused leaves no row in the trail', () => {
    expect(events).toEqual([]);
  });
});

describe('a node that cannot decide refuses', () => {
  test('without policy, and with policy nobody has confirmed for too long', async () => {
    const { snapshot } = live;
    live.snapshot = undefined;
    expect(await ping(`Bearer ${good.token}`)).toMatchObject({ status: 503, text: expect.stringContaining('no_snapshot') as unknown });
    live.snapshot = snapshot;
    live.ageMs = 60_001;
    expect(await ping(`Bearer ${good.token}`)).toMatchObject({ status: 503, text: expect.stringContaining('policy_stale') as unknown });
    live.ageMs = 0;
    expect(await ping(`Bearer ${good.token}`)).toMatchObject({ status: 200 });
  });
});
