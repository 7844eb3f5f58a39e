import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadMasterKey, MasterKeyError } from './load-master-key.js';

let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'master-key-'));
  file = join(folder, 'data', 'master.key');
});

afterEach(() => rmSync(folder, { recursive: true }));

test('a key made at first use is 0600, random, and found again', () => {
  const key = loadMasterKey({ file });
  expect(key).toHaveLength(32);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(loadMasterKey({ file })).toEqual(key);
  expect(readdirSync(join(folder, 'data'))).toEqual(['master.key']);
  expect(loadMasterKey({ file: join(folder, 'other') })).not.toEqual(key);
});

test('a value given by name wins over the file, which is not made', () => {
  const value = randomBytes(32);
  expect(loadMasterKey({ file, value: value.toString('base64url') })).toEqual(value);
  expect(loadMasterKey({ file, value: `${value.toString('base64')}\n` })).toEqual(value);
  expect(existsSync(file)).toBe(false);
});

test.each([
  ['sample', 'change-me-change-me-change-me-change-me-123'],
  ['sample', Buffer.from('x').toString('base64url') + 'ExamplePassword'],
  ['weak', 'A'.repeat(43)],
  ['weak', '0'.repeat(8)],
  ['weak', Buffer.alloc(32, 1).toString('base64url')],
  ['weak', Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64url')],
  ['weak', Buffer.from('correct horse battery staple 123').toString('base64url')],
  ['weak', Buffer.from('0123456789abcdef0123456789abcdef').toString('base64url')],
  ['short', randomBytes(16).toString('base64url')],
  ['short', 'abcd'],
  ['long', randomBytes(33).toString('base64url')],
  ['malformed', 'not base64 at all!'],
])('a %s master key is refused by name and never quoted', (fault, value) => {
  const error = faultOf(() => loadMasterKey({ value }));
  expect(error).toMatchObject({ code: 'secrets.master_key', fault });
  expect(error.message).not.toContain(value);
});

test('a key file that others can read or its group can write is refused', () => {
  loadMasterKey({ file });
  for (const mode of [0o644, 0o604, 0o660, 0o666]) {
    chmodSync(file, mode);
    expect(faultOf(() => loadMasterKey({ file }))).toMatchObject({ fault: 'exposed' });
  }
  chmodSync(file, 0o640); // a mounted secret readable by the group of the process
  expect(loadMasterKey({ file })).toHaveLength(32);
});

test('a damaged key file is refused and left as it is', () => {
  loadMasterKey({ file });
  writeFileSync(file, 'truncat');
  expect(faultOf(() => loadMasterKey({ file })).fault).toBe('malformed');
  expect(readFileSync(file, 'utf8')).toBe('truncat');
  expect(faultOf(() => loadMasterKey({ file: folder })).fault).toBe('unreadable');
});

test('nothing given is a fault, not a random key', () => {
  expect(faultOf(() => loadMasterKey({})).fault).toBe('missing');
  expect(faultOf(() => loadMasterKey({ file: '', value: '' })).fault).toBe('missing');
});

test('a folder that cannot be written is named', () => {
  writeFileSync(join(folder, 'plain'), '');
  const error = faultOf(() => loadMasterKey({ file: join(folder, 'plain', 'key') }));
  expect(error.fault).toBe('unreadable');
  expect(error.message).toContain('ENOTDIR');
});

function faultOf(run: () => unknown): MasterKeyError {
  try {
    run();
  } catch (error) {
    if (error instanceof MasterKeyError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
