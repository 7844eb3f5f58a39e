import { GatewayError } from '@portcullis/contracts/errors';
import { expect, test } from 'vitest';
import { FailedAuthentication } from './failed-authentication.js';

const wrong = new GatewayError('auth.required', { reason: 'wrong_secret', keyId: null });
const NOW = 1_800_000_000_000;

function flooded(): FailedAuthentication {
  const failures = new FailedAuthentication(
    () => undefined,
    () => undefined,
  );
  for (let times = 0; times < 1001; times += 1) failures.note(wrong, '10.0.0.1', NOW);
  expect(failures.isFlooded('10.0.0.1', NOW)).toBe(true);
  return failures;
}

test('a source that failed too often is looked up again when the minute is over, though nobody has failed since', () => {
  expect(flooded().isFlooded('10.0.0.1', NOW + 60_000)).toBe(false);
});

test('a clock that was set back holds no source off for longer', () => {
  const failures = flooded();
  expect(failures.isFlooded('10.0.0.1', NOW - 3_600_000)).toBe(false);
  expect(failures.note(wrong, '10.0.0.1', NOW - 3_600_000)).toBe(wrong);
});
