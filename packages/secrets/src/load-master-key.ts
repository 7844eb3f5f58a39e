import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeBase64url } from './decode-base64url.js';

/** Why a master key was refused. */
export type MasterKeyFault = 'missing' | 'malformed' | 'short' | 'long' | 'weak' | 'sample' | 'exposed' | 'unreadable';

/** A master key that must not be used. Names the fault and the file, never the value. */
export class MasterKeyError extends Error {
  readonly code = 'secrets.master_key';
  readonly fault: MasterKeyFault;

  constructor(fault: MasterKeyFault, message: string) {
    super(message);
    this.name = 'MasterKeyError';
    this.fault = fault;
  }
}

const sampleWords = /change-?_?me|example|sample|default|password|placeholder|insecure|portcullis|replace|secret/i;

/**
 * The 32 bytes everything else is sealed under: from `value` (base64url) when given, else from `file`, which is made (mode 0600) when absent, unless it `mustExist`.
 * Throws MasterKeyError for a value nobody should use, and for a file that others may read or its group may write.
 */
export function loadMasterKey(source: { file?: string | undefined; value?: string | undefined; mustExist?: boolean }): Buffer {
  if (source.value !== undefined && source.value !== '') return parseMasterKey(source.value);
  if (source.file === undefined || source.file === '') throw new MasterKeyError('missing', 'Neither a master key nor a file for one is given');
  const { file } = source;
  try {
    const found = readKeyFile(file);
    if (found === undefined && source.mustExist === true) throw new MasterKeyError('missing', `There is no master key file ${file}`);
    return found ?? createKeyFile(file);
  } catch (error) {
    if (error instanceof MasterKeyError) throw error;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new MasterKeyError('unreadable', `The master key file ${file} cannot be used: ${reason}`);
  }
}

function parseMasterKey(text: string): Buffer {
  const value = text.trim().replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''); // plain base64 is what `openssl rand -base64 32` prints
  if (sampleWords.test(value)) throw new MasterKeyError('sample', 'The master key looks like a sample value; use 32 random bytes in base64url');
  if (/^(.)\1*$/.test(value)) throw new MasterKeyError('weak', 'The master key is one character repeated; use 32 random bytes in base64url');
  const key = decodeBase64url(value);
  if (key === undefined) throw new MasterKeyError('malformed', 'The master key is not base64url of 32 bytes');
  if (key.length < 32) throw new MasterKeyError('short', `The master key has ${key.length} bytes of the 32 it needs`);
  if (key.length > 32) throw new MasterKeyError('long', `The master key has ${key.length} bytes; it needs exactly 32`);
  if (isPredictable(key)) throw new MasterKeyError('weak', 'The master key is not random; use 32 random bytes in base64url');
  return key;
}

/** True for repetition, a counted sequence, or encoded text: what 32 random bytes show less than once in 10^12. */
function isPredictable(key: Buffer): boolean {
  const steps = new Set(key.subarray(1).map((byte, index) => byte - (key[index] ?? 0)));
  const isText = key.every((byte) => byte >= 0x20 && byte < 0x7f);
  return new Set(key).size < 16 || steps.size < 8 || isText;
}

function readKeyFile(file: string): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    // The opened file is asked, not the path: it cannot be exchanged in between.
    const { mode } = fstatSync(descriptor);
    if ((mode & 0o027) !== 0) {
      throw new MasterKeyError('exposed', `The master key file ${file} is open to others (mode ${(mode & 0o777).toString(8)}); run chmod 600 on it`);
    }
    return parseMasterKey(readFileSync(descriptor, 'utf8'));
  } finally {
    closeSync(descriptor);
  }
}

function createKeyFile(file: string): Buffer {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${newMasterKey()}\n`);
    fsyncSync(descriptor);
    linkSync(draft, file); // refuses to replace: of two processes starting at once, the second reads what the first wrote
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(draft);
  }
  const key = readKeyFile(file);
  if (key === undefined) throw new MasterKeyError('unreadable', `The master key file ${file} vanished while it was made`);
  return key;
}

/** Random until it also passes the refusals above, so that a made key can always be read again. */
function newMasterKey(): string {
  for (;;) {
    const value = randomBytes(32).toString('base64url');
    if (!sampleWords.test(value)) return value;
  }
}
