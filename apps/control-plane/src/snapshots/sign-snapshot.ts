import { ADDED_NAMED_MAX, type SignedHead } from '@portcullis/contracts/snapshot';
import { signBytes, type KeyPair } from '@portcullis/secrets';
import { HEAD_LIFETIME_MS, signHead } from '@portcullis/snapshot';
import type { CommittedSnapshot } from './commit-snapshot.js';

/** The head of what Postgres holds, dated when Postgres was read: a publisher that cannot read it has nothing newer to sign. */
export function signSnapshot({ epoch, revision, rootDigest, root, readAtMs, added, changes }: CommittedSnapshot, key: KeyPair): SignedHead {
  const head = {
    epoch,
    revision,
    schema: root.schema,
    rootDigest,
    issuedAt: readAtMs,
    notAfter: readAtMs + HEAD_LIFETIME_MS,
    keyId: key.keyId,
    ...(added !== undefined && added.length > 0 && added.length <= ADDED_NAMED_MAX && { added: added.map(({ digest }) => digest) }),
    ...(changes !== undefined && { changes }),
  };
  return signHead(head, (body) => signBytes(key.privateKey, body));
}
