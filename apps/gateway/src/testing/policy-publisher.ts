import {
  bucketOf,
  SNAPSHOT_SCHEMA_VERSION,
  type AgentEntry,
  type GrantEntry,
  type ServerEntry,
  type SettingsEntry,
  type SignedHead,
} from '@portcullis/contracts/snapshot';
import { newSigningKey, signBytes } from '@portcullis/secrets';
import { assembleRoot, createSnapshotStore, encodeChunk, encodeSettings, HEAD_LIFETIME_MS, signHead, type BucketContent } from '@portcullis/snapshot';
import type { Redis } from 'ioredis';

export interface Policy {
  readonly servers: readonly ServerEntry[];
  readonly agents: readonly AgentEntry[];
  readonly grants: readonly GrantEntry[];
  readonly settings: SettingsEntry;
}

/** Publishes whole policies, as a control plane does, and keeps the newest head young. */
export class PolicyPublisher {
  readonly key = newSigningKey();
  revision = 0;
  private head: { rootDigest: string } | undefined;
  private readonly heartbeat: NodeJS.Timeout;

  constructor(private readonly redis: Redis) {
    this.heartbeat = setInterval(() => void this.announce(), 500);
  }

  async publish(policy: Policy): Promise<number> {
    this.revision += 1;
    const chunks = new Map<string, Uint8Array>();
    const put = ({ digest, bytes }: { digest: string; bytes: Uint8Array }): string => {
      chunks.set(digest, bytes);
      return digest;
    };
    const agents = policy.agents.map(({ id, slug, enabled, toolNameStyle, groupIds, keys, identities, callLimits }) => ({
      id,
      slug,
      enabled,
      toolNameStyle,
      groupIds,
      keys,
      ...(identities && { identities }),
      ...(callLimits && { callLimits }),
    }));
    const subjectOf = ({ subject }: GrantEntry): string => ('agentId' in subject ? subject.agentId : subject.groupId);
    const buckets = {
      servers: encodeBuckets(
        policy.servers,
        ({ id }) => id,
        (bucket, items) => put(encodeChunk({ kind: 'servers', bucket, items })),
      ),
      agents: encodeBuckets(
        agents,
        ({ id }) => id,
        (bucket, items) => put(encodeChunk({ kind: 'agents', bucket, items })),
      ),
      grants: encodeBuckets(policy.grants, subjectOf, (bucket, items) => put(encodeChunk({ kind: 'grants', bucket, items } satisfies BucketContent))),
    };
    const { root, indexes } = assembleRoot(buckets, put(encodeSettings(policy.settings)), this.revision);
    for (const index of indexes) put(index);
    put(root);
    await createSnapshotStore(this.redis).putChunks(chunks);
    this.head = { rootDigest: root.digest };
    await this.announce();
    return this.revision;
  }

  currentHead(): SignedHead | null {
    if (this.head === undefined) return null;
    const issuedAt = Date.now();
    const { keyId, privateKey } = this.key;
    const { revision, head } = this;
    const body = {
      epoch: 1,
      revision,
      schema: SNAPSHOT_SCHEMA_VERSION,
      rootDigest: head.rootDigest,
      issuedAt,
      notAfter: issuedAt + HEAD_LIFETIME_MS,
      keyId,
    };
    return signHead(body, (bytes) => signBytes(privateKey, bytes));
  }

  close(): void {
    clearInterval(this.heartbeat);
  }

  private async announce(): Promise<void> {
    const head = this.currentHead();
    if (head !== null)
      await createSnapshotStore(this.redis)
        .publishHead(head)
        .catch(() => undefined);
  }
}

function encodeBuckets<Item>(
  items: readonly Item[],
  idOf: (item: Item) => string,
  encode: (bucket: number, items: Item[]) => string,
): Map<number, string> {
  return new Map([...Map.groupBy(items, (item) => bucketOf(idOf(item)))].map(([bucket, inBucket]) => [bucket, encode(bucket, inBucket)]));
}
