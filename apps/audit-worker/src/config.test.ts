import { randomBytes } from 'node:crypto';
import { auditKeysText, auditSealingKey } from '@portcullis/secrets';
import { expect, test } from 'vitest';
import { loadConfig } from './config.js';

const services = { DATABASE_URL: 'postgresql://db/portcullis', REDIS_URL: 'redis://127.0.0.1:6379' };
const faultOf = (env: Record<string, string>): string => {
  try {
    loadConfig({ ...services, ...env });
    return '';
  } catch (error) {
    return String(error);
  }
};

test('a worker without the key of audit workers does not start, and says what to set; it never says what was set', () => {
  expect(faultOf({})).toContain('PORTCULLIS_AUDIT_KEY_FILE: is missing');
  const typed = faultOf({ PORTCULLIS_AUDIT_KEY: 'typed-by-hand' });
  expect([typed.includes('PORTCULLIS_AUDIT_KEY: must be'), typed.includes('typed-by-hand')]).toEqual([true, false]);
});

test('a worker takes what control planes wrote, by the name of the file or as it is, two keys while the master key is replaced', () => {
  const keys = auditKeysText([auditSealingKey(randomBytes(32)), auditSealingKey(randomBytes(32))])
    .trim()
    .replace('\n', ',');
  expect(loadConfig({ ...services, PORTCULLIS_AUDIT_KEY: keys }).auditKeys).toEqual({ keys, file: undefined });
  expect(loadConfig({ ...services, PORTCULLIS_AUDIT_KEY_FILE: '/keys/audit.key' }).auditKeys).toEqual({ keys: undefined, file: '/keys/audit.key' });
});
