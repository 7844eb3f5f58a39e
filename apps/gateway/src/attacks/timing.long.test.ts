import { newBearer } from '@portcullis/secrets';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authenticate } from '../caller/authenticate.js';
import { startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { compareTimings } from '../testing/compare-timings.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { RawConnection } from '../testing/raw-connection.js';
import { rawRequest } from '../testing/raw-request.js';

const CALLS = 20_000;
const WARM_UP = 2_000;
/** Above this, a single call would tell something. Noise stays far below; what is printed is to be looked at. */
const EFFECT_MAX = 0.25;

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());

/** Times each of these `CALLS` times in an order nobody can foresee, in microseconds. */
async function time<Name extends string>(calls: Readonly<Record<Name, () => unknown>>): Promise<Record<Name, number[]>> {
  const names = Object.keys(calls) as Name[];
  const took = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -WARM_UP; round < CALLS; round += 1) {
    stage.events.length = 0;
    for (const name of names.map((one) => [Math.random(), one] as const).sort(([a], [b]) => a - b)) {
      const begun = process.hrtime.bigint();
      await calls[name[1]]();
      const us = Number(process.hrtime.bigint() - begun) / 1000;
      if (round >= 0) took[name[1]].push(us);
    }
  }
  return took;
}

function expectAlike(what: string, first: readonly number[], second: readonly number[]): void {
  const { medians, t, effect } = compareTimings(first, second);
  const [a, b] = medians.map((us) => us.toFixed(2));
  process.stdout.write(`${what}: median ${a} µs against ${b} µs, Welch t ${t.toFixed(1)}, effect ${effect.toFixed(3)} (0.5: none)\n`);
  expect(Math.abs(effect - 0.5)).toBeLessThan(EFFECT_MAX);
}

describe('A44: how long it takes tells no denied tool from an unknown one', () => {
  test.each(['legacy', 'modern'] as const)('nor the tools of a server that is disabled, or of one that there is not (%s)', async (era) => {
    const [, bob] = stage.policy.agents;
    const connection = await RawConnection.open(stage.port);
    const call = (name: string): (() => Promise<string>) => {
      const bytes = rawRequest({ token: bob.token, ...mcpRequest('tools/call', { era, params: { name, arguments: { a: 'b' } } }) });
      return () => {
        connection.received = '';
        connection.socket.write(bytes);
        return connection.until(/\}\}$/);
      };
    };
    const calls = { denied: call('m__run'), unknown: call('m__rux'), nowhere: call('x__run'), disabled: call('off__x') };
    expect(await calls.unknown()).toContain('Unknown tool: m__rux');
    const { unknown, ...others } = await time(calls);
    for (const [name, took] of Object.entries(others)) expectAlike(`${era}, ${name} against unknown`, took, unknown);
    connection.socket.destroy();
  });
});

test('A29: how long it takes tells no wrong secret, expired key or disabled agent from an unknown key', async () => {
  const [alice, bob, nobody] = stage.policy.agents;
  const { live, gateway } = stage;
  const known = live.snapshot;
  if (known === undefined) throw new Error('The stage has policy');
  const agentByKeyId = new Map(known.agentByKeyId);
  const change = (token: string, to: (found: { agent: typeof alice; key: (typeof alice.keys)[number] }) => object): void => {
    for (const [id, found] of agentByKeyId) if (token.includes(id)) agentByKeyId.set(id, { ...found, ...to(found as never) });
  };
  change(bob.token, ({ key }) => ({ key: { ...key, expiresAt: 1 } }));
  change(nobody.token, ({ agent }) => ({ agent: { ...agent, enabled: false } }));
  const policy = { ...known, agentByKeyId };
  const { pepperOf, taskKeys, accessTokens } = gateway;
  const check = { pepperOf, taskKeys, accessTokens, slug: null, now: Date.now() };
  const refusalOf = (header: string): unknown => {
    try {
      return authenticate(header, policy, check);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const refused = (token: string): (() => unknown) => {
    expect(refusalOf(`Bearer ${token}`)).toBe('auth.required');
    return () => refusalOf(`Bearer ${token}`);
  };
  const wrong = `${alice.token.slice(0, -2)}${alice.token.endsWith('AA') ? 'BB' : 'AA'}`;
  const keys = { wrong: refused(wrong), expired: refused(bob.token), disabled: refused(nobody.token), unknown: refused(newBearer('agent').token) };
  const { unknown, ...others } = await time(keys);
  for (const [name, took] of Object.entries(others)) expectAlike(`key ${name} against unknown`, took, unknown);
});
