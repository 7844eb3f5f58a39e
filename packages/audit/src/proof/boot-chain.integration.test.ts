import { execFileSync } from 'node:child_process';
import { createSecretKey, hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BootChain } from './boot-chain.js';

const signer = { keyId: 'k', batchKey: createSecretKey(randomBytes(32)), sign: (bytes: Uint8Array) => hash('sha256', bytes, 'base64url') };
const boot = '0190d7f0-0000-7000-8000-000000000000';
let directory: string;
let isMounted = false;

/** Only root may mount one, and not everywhere. */
function mountSmallDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-small-disk-'));
  isMounted = mountSmallDisk();
});
afterEach(() => {
  if (isMounted) execFileSync('umount', ['--lazy', directory]);
  rmSync(directory, { recursive: true, force: true });
});

test('links go on on a full disk, so that what they cover can be forgotten and make room', (context) => {
  context.skip(!isMounted, 'no disk could be mounted');
  const chain = BootChain.begin({ node: 'n', boot, directory });
  expect(() => writeFileSync(join(directory, 'in-the-way'), Buffer.alloc(1024 * 1024))).toThrow('ENOSPC');
  for (let seq = 1; seq <= 3; seq += 1) {
    chain.add(randomBytes(32).toString('latin1'), seq);
    const link = chain.link(signer, true);
    expect(link?.lastSeq).toBe(seq);
    if (link !== undefined) chain.confirm(link);
    expect(BootChain.resume({ node: 'n', boot, directory })).toMatchObject({ linkedSeq: seq, isHandedOver: true });
  }
});
