import { expect, test } from 'vitest';
import { readConfig } from './read-config.js';
import { redisAddress } from './redis-address.js';

const read = (address: string) => readConfig({ redisUrl: redisAddress() }, { REDIS_URL: address }).redisUrl;

test.each([
  'redis://127.0.0.1:6379',
  'redis://localhost',
  'redis://[::1]:6379/2',
  'redis://:s3cr3t@redis:6379',
  'redis://node:s3cr3t@10.0.0.7:6379',
  'rediss://redis.example:6380',
])('%s is taken', (address) => {
  expect(read(address)).toBe(address);
});

test.each(['redis://redis:6379', 'redis://10.0.0.7', 'redis://localhost.example', 'redis://node@redis', 'redis://127.0.0.1.example'])(
  'a process does not start on %s, where nobody is asked for a password, and names the setting',
  (address) => {
    expect(() => read(address)).toThrow(/REDIS_URL: must have a password/);
    expect(() => read(address)).not.toThrow(address);
  },
);
