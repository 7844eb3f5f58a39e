import { GatewayError } from '@portcullis/contracts/errors';
import { expect, test } from 'vitest';
import { Breaker } from './breaker.js';

const unreachable = new GatewayError('upstream.unreachable');

function aBreaker() {
  const clock = { at: 0, now: () => clock.at, random: () => 1 };
  let suspensions = 0;
  const breaker = new Breaker(clock, () => (suspensions += 1));
  const call = (error?: GatewayError): void => {
    breaker.enter();
    if (error === undefined) breaker.answered();
    else breaker.failed(error);
    breaker.left();
  };
  const calls = (error: GatewayError, times = 5): void => {
    for (let time = 0; time < times; time += 1) call(error);
  };
  return { breaker, clock, call, calls, count: () => suspensions };
}

test.each([unreachable, new GatewayError('upstream.timeout', { stage: 'first_byte' })])(
  'five calls in a row without a server suspend it',
  (error) => {
    const { call, calls, count } = aBreaker();
    calls(error);
    expect(() => call()).toThrow('upstream.suspended');
    expect(count()).toBe(1);
  },
);

test.each(['upstream.protocol', 'upstream.too_large', 'upstream.busy', 'client.cancelled', 'node.audit_unavailable', 'policy.denied'] as const)(
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
    breaker.failed(unreachable);
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
  breaker.failed(new GatewayError('client.cancelled'));
  breaker.left();
  expect(() => breaker.enter()).not.toThrow();
});

test('late failures of calls from before do not prolong a suspension', () => {
  const { breaker, clock, calls, count } = aBreaker();
  calls(unreachable);
  clock.at = 900;
  breaker.failed(unreachable);
  clock.at = 1000;
  expect(() => breaker.enter()).not.toThrow();
  expect(count()).toBe(1);
});
