import { createSecretKey, hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BootChain } from './boot-chain.js';
import { linkDigest, linkText, NO_LINK } from './link-text.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-chain-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const place = () => ({ node: 'n', boot: '0190d7f0-0000-7000-8000-000000000000', directory });
const signer = { keyId: 'k', batchKey: createSecretKey(randomBytes(32)), sign: (bytes: Uint8Array) => hash('sha256', bytes, 'base64url') };
const hashes = Array.from({ length: 6 }, () => randomBytes(32).toString('latin1'));
const add = (chain: BootChain, from: number, to: number) => hashes.slice(from - 1, to).forEach((one, at) => chain.add(one, from + at));

test('links follow one another over every event, and say so under the signature', () => {
  const chain = BootChain.begin(place());
  add(chain, 1, 2);
  const first = chain.link(signer, true);
  expect(first).toMatchObject({ firstSeq: 1, lastSeq: 2, prev: NO_LINK, digest: linkDigest(NO_LINK, hashes.slice(0, 2).join('')), keyId: 'k' });
  if (first === undefined) throw new Error('no link');
  expect(first.signature).toBe(signer.sign(linkText('n', first)));
  add(chain, 3, 4);
  expect(chain.link(signer, true)).toEqual(first);
  chain.confirm(first);
  expect(chain.link(signer, true)).toMatchObject({
    firstSeq: 3,
    lastSeq: 4,
    prev: first.digest,
    digest: linkDigest(first.digest, hashes.slice(2, 4).join('')),
  });
});

test('a link that was made is handed over by the next process, and none is made of its events again', () => {
  const chain = BootChain.begin(place());
  add(chain, 1, 3);
  const link = chain.link(signer, true);
  if (link === undefined) throw new Error('no link');
  const resumed = BootChain.resume(place());
  expect([resumed.linkedSeq, resumed.isHandedOver]).toEqual([3, false]);
  expect(resumed.link(signer, true)).toEqual(link);
  resumed.confirm(link);
  const again = BootChain.resume(place());
  expect([again.linkedSeq, again.isHandedOver]).toEqual([3, true]);
  add(again, 4, 4);
  expect(again.link(signer, true)).toMatchObject({ firstSeq: 4, lastSeq: 4, prev: link.digest });
});

test('a link is made every ten seconds at most while events come', () => {
  const chain = BootChain.begin(place());
  add(chain, 1, 1);
  expect(chain.link(signer)).toBeUndefined();
});

test('a chain whose folder was deleted is written down again, and not begun anew by the next process', () => {
  const chain = BootChain.begin(place());
  add(chain, 1, 3);
  const link = chain.link(signer, true);
  if (link === undefined) throw new Error('no link');
  chain.confirm(link);
  rmSync(join(directory, 'chain.json'));
  expect(BootChain.resume(place()).linkedSeq).toBe(0);
  chain.keepAgain();
  const resumed = BootChain.resume(place());
  expect([resumed.linkedSeq, resumed.isHandedOver]).toEqual([3, true]);
});
