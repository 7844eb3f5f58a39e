import { GatewayError } from '@portcullis/contracts/errors';
import { expect, test } from 'vitest';
import { Breaker } from './breaker.js';

const unreachable = new GatewayError('upstream.unreachable');

function aBreaker() {
  const clock = { at: 0, now: () => clock.at, random: () => 1 };
  let suspensions = 0;
  const breaker = new Breaker(clock, () => (suspensions += 1));
  const call = (error?: GatewayError, agentId = 'alice'): void => {
    breaker.enter();
    if (error === undefined) breaker.answered();
    else breaker.failed(error, agentId);
    breaker.left();
  };
  const calls = (error: GatewayError, times = 5, agentOf = (_time: number) => 'alice'): void => {
    for (let time = 0; time < times; time += 1) call(error, agentOf(time));
  };
  return { breaker, clock, call, calls, count: () => suspensions };
}

/** What a single tool can bring about, by hanging, crashing or answering nonsense. */
const ofOneTool = [
  new GatewayError('upstream.timeout', { stage: 'first_byte' }),
  new GatewayError('upstream.cut'),
  new GatewayError('upstream.protocol', { status: 500 }),
  new GatewayError('upstream.protocol', { fault: 'not a JSON object' }),
];
const noServerBehind = [502, 503, 504].map((status) => new GatewayError('upstream.protocol', { status }));

test.each([unreachable, ...noServerBehind])('five calls in a row without a server suspend it, whoever makes them: %s', (error) => {
  const { call, calls, count } = aBreaker();
  calls(error);
  expect(() => call()).toThrow('upstream.suspended');
  expect(count()).toBe(1);
});

test.each(ofOneTool)('one agent’s broken tool never suspends a server: %s', (error) => {
  const { call, calls } = aBreaker();
  calls(error, 100);
  expect(() => call()).not.toThrow();
});

test.each(ofOneTool)('a server that fails five agents in a row, and serves nobody between, is suspended: %s', (error) => {
  const { call, calls, breaker } = aBreaker();
  calls(error, 8, (time) => `agent ${String(time % 4)}`);
  call();
  calls(error, 8, (time) => `agent ${String(time % 4)}`);
  expect(breaker.isSuspended).toBe(false);
  call(error, 'a fifth');
  expect(() => call()).toThrow('upstream.suspended');
});

test.each(['upstream.too_large', 'upstream.busy', 'client.cancelled', 'node.audit_unavailable', 'policy.denied'] as const)(
  '%s says nothing against a server',
  (code) => {
    const { call, calls } = aBreaker();
    calls(unreachable, 4);
    calls(new GatewayError(code), 20);
    calls(new GatewayError('upstream.timeout', { stage: 'total' }), 20);
    expect(() => call()).not.toThrow();
  },
);

test('one answer starts the count again', () => {
  const { call, calls, breaker } = aBreaker();
  calls(unreachable, 4);
  call();
  calls(unreachable, 4);
  expect(breaker.isSuspended).toBe(false);
});

test('after a pause one call tries while the others are refused; pauses double up to half a minute', () => {
  const { breaker, clock, calls, call, count } = aBreaker();
  calls(unreachable);
  for (const pause of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    clock.at += pause - 1;
    expect(() => breaker.enter()).toThrow('upstream.suspended');
    clock.at += 1;
    breaker.enter();
    expect(() => breaker.enter()).toThrow('upstream.suspended');
    breaker.failed(unreachable, 'alice');
    breaker.left();
  }
  expect(count()).toBe(8);
  clock.at += 30_000;
  call();
  expect(() => call()).not.toThrow();
});

test('a try that ends without a word lets the next call try', () => {
  const { breaker, clock, calls } = aBreaker();
  calls(unreachable);
  clock.at = 1000;
  breaker.enter();
  breaker.failed(new GatewayError('client.cancelled'), 'alice');
  breaker.left();
  expect(() => breaker.enter()).not.toThrow();
});

test('late failures of calls from before do not prolong a suspension', () => {
  const { breaker, clock, calls, count } = aBreaker();
  calls(unreachable);
  clock.at = 900;
  breaker.failed(unreachable, 'alice');
  clock.at = 1000;
  expect(() => breaker.enter()).not.toThrow();
  expect(count()).toBe(1);
});

test('a try that a single tool spoils neither prolongs a suspension nor keeps the next call away', () => {
  const { breaker, clock, calls, call } = aBreaker();
  calls(unreachable);
  clock.at = 1000;
  breaker.enter();
  expect(() => breaker.enter()).toThrow('upstream.suspended');
  clock.at += 5000; // it hangs
  call(new GatewayError('upstream.timeout', { stage: 'first_byte' }));
  expect(() => breaker.enter()).not.toThrow();
});

test('a bad answer to a try shows that the server is there', () => {
  const { breaker, clock, calls, call } = aBreaker();
  calls(unreachable);
  clock.at = 1000;
  call(new GatewayError('upstream.protocol', { status: 500 }));
  expect(breaker.isSuspended).toBe(false);
});
