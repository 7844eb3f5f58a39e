import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { EnrolRequest, NodeChange, nodeKeysAad, NodeStatus, type NodeKeys } from '@portcullis/contracts/node';
import { newBearer, sealFor } from '@portcullis/secrets';
import { listenLoopback } from './listen-loopback.js';
import { pepper } from './policy-builders.js';
import type { PolicyPublisher } from './policy-publisher.js';
import { nodesKey } from './sealed-credentials.js';

/** The nodes' side of a control plane, without a database: it enrols whoever has the join token. */
export interface FakeControlPlane {
  readonly url: string;
  readonly joinToken: string;
  readonly statuses: Map<string, NodeStatus>;
  /** Servers that nodes said have changed, in order. */
  readonly changes: string[];
  close(): Promise<void>;
}

export async function startFakeControlPlane(
  publisher: PolicyPublisher,
  options: { port?: number; joinToken?: string } = {},
): Promise<FakeControlPlane> {
  const { port = 0, joinToken = newBearer('join').token } = options;
  const statuses = new Map<string, NodeStatus>();
  const changes: string[] = [];
  const nodes = new Map<string, { id: string; publicKey: string }>();
  const session = [{ keyId: 'session-1', secret: Buffer.alloc(32, 9).toString('base64url') }];
  const keys: NodeKeys = {
    signing: [{ keyId: publisher.key.keyId, publicKey: publisher.key.publicKey }],
    peppers: [{ keyId: pepper.keyId, secret: pepper.key.toString('base64url') }],
    session,
    credentials: [{ keyId: nodesKey.id, secret: nodesKey.key.toString('base64url') }],
  };
  const sealedKeys = (id: string, publicKey: string): string => sealFor(publicKey, JSON.stringify(keys), nodeKeysAad(id));

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const bearer = request.headers.authorization?.slice('Bearer '.length) ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (request.url === '/v1/node/enrol') {
      if (bearer !== joinToken) return { status: 401, body: {} };
      const { sealingPublicKey } = EnrolRequest.parse(JSON.parse(text));
      const { token: nodeKey } = newBearer('node');
      const node = { id: randomUUID(), publicKey: sealingPublicKey };
      nodes.set(nodeKey, node);
      return { status: 200, body: { nodeId: node.id, nodeKey, sealedKeys: sealedKeys(node.id, node.publicKey) } };
    }
    const node = nodes.get(bearer);
    if (node === undefined) return { status: 401, body: {} };
    if (request.url === '/v1/node/keys') return { status: 200, body: { sealedKeys: sealedKeys(node.id, node.publicKey) } };
    if (request.url === '/v1/node/changes') {
      changes.push(NodeChange.parse(JSON.parse(text)).serverId);
      return { status: 200, body: {} };
    }
    if (request.url === '/v1/node/status') {
      statuses.set(node.id, NodeStatus.parse(JSON.parse(text)));
      return { status: 200, body: { audit: [], head: publisher.currentHead() } };
    }
    return { status: 404, body: {} };
  }

  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  const { url, close } = await listenLoopback(server, port);
  return { url, joinToken, statuses, changes, close };
}
