import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadConfig } from './config.js';

const masterKey = randomBytes(32).toString('base64url');

test('an environment that cannot be used is refused with all its faults at once, and no value in them', () => {
  const env = { PORT: '70000', DATABASE_URL: 'mysql://root:hunter2@db', PORTCULLIS_MASTER_KEY: masterKey };
  const attempt = (): unknown => loadConfig(env);
  expect(attempt).toThrow(/PORT/);
  expect(attempt).toThrow(/DATABASE_URL/);
  expect(attempt).toThrow(/REDIS_URL/);
  expect(attempt).not.toThrow(/hunter2/);
});

test('what is left out has a safe default: loopback alone', () => {
  const config = loadConfig({
    DATABASE_URL: 'postgresql://db/x',
    REDIS_URL: 'redis://:pass@cache',
    PORTCULLIS_MASTER_KEY: masterKey,
  });
  expect(config).toMatchObject({ host: '127.0.0.1', port: 3000, healthHost: '127.0.0.1', healthPort: 9100, logLevel: 'info' });
});
