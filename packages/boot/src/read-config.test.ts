import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, readConfig, variableOf } from './read-config.js';

const port = z.coerce.number().int().min(1).max(65535);

test('settings are read from their variables, converted and frozen', () => {
  const shape = {
    port: port.default(8080),
    redisUrl: z.url(),
    firstByteTimeoutMs: z.coerce.number().default(300_000),
    tags: z.string().transform((t) => t.split(',')),
  };
  const config = readConfig(shape, { REDIS_URL: 'redis://127.0.0.1:6390', FIRST_BYTE_TIMEOUT_MS: '5', TAGS: 'a,b', OTHER: 'x' });
  expect(config).toEqual({ port: 8080, redisUrl: 'redis://127.0.0.1:6390', firstByteTimeoutMs: 5, tags: ['a', 'b'] });
  expect(Object.isFrozen(config) && Object.isFrozen(config.tags)).toBe(true);
});

test('all faults are told at once, by variable, without any value', () => {
  const shape = {
    port,
    redisUrl: z.url(),
    mode: z.enum(['queue', 'spool']),
    token: z.string().refine(() => false, { error: ({ input }) => `bad ${String(input)}` }),
  };
  const error = faultOf(() => readConfig(shape, { PORT: 'eighty-eighty', MODE: 'quick', TOKEN: 'hunter2hunter2' }));
  expect(error.faults.map(({ variable }) => variable)).toEqual(['PORT', 'REDIS_URL', 'MODE', 'TOKEN']);
  expect(error.faults[1]).toEqual({ variable: 'REDIS_URL', problem: 'is required' });
  expect(`${error.message}${error.stack}`).not.toMatch(/eighty|quick|hunter2/);
  expect(error.message).toContain('MODE: ');
});

test('an empty variable is an absent one', () => {
  expect(readConfig({ port: port.default(1), caFile: z.string().optional() }, { PORT: '', CA_FILE: '' })).toEqual({ port: 1, caFile: undefined });
});

test('a secret may come from a file that its _FILE variable names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  const file = join(folder, 'secret');
  writeFileSync(file, 'swordfish\n');
  const shape = { token: z.string() };
  expect(readConfig(shape, { TOKEN_FILE: file })).toEqual({ token: 'swordfish' });
  expect(faultOf(() => readConfig(shape, { TOKEN_FILE: file, TOKEN: 'x' })).faults).toEqual([
    { variable: 'TOKEN', problem: 'is set, and so is TOKEN_FILE; keep one' },
  ]);
  expect(faultOf(() => readConfig(shape, { TOKEN_FILE: join(folder, 'absent') })).faults).toEqual([
    { variable: 'TOKEN_FILE', problem: 'the file cannot be read (ENOENT)' },
  ]);
  const both = { token: z.string().optional(), tokenFile: z.string() };
  expect(readConfig(both, { TOKEN_FILE: file })).toEqual({ token: undefined, tokenFile: file });
  rmSync(folder, { recursive: true });
});

test('names become variables as people write them', () => {
  expect(['port', 'redisUrl', 'firstByteTimeoutMs', 'auditRedisURL', 'http2Port'].map(variableOf)).toEqual([
    'PORT',
    'REDIS_URL',
    'FIRST_BYTE_TIMEOUT_MS',
    'AUDIT_REDIS_URL',
    'HTTP2_PORT',
  ]);
});

function faultOf(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
