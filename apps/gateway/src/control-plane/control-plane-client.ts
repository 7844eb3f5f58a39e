import type { AuditBatch } from '@portcullis/contracts/audit';
import {
  AUDIT_BATCH_TYPE,
  EnrolResponse,
  NodeAuditKeyResponse,
  NodeAccessAnswer,
  NodeAccessFound,
  NodeKeysResponse,
  NodeStatusResponse,
  NodeTokenResponse,
  type EnrolRequest,
  type NodeAccessLookup,
  type NodeAccessRequest,
  type NodeChange,
  type NodeStatus,
} from '@portcullis/contracts/node';
import { SignedHead, type Digest } from '@portcullis/contracts/snapshot';
import type { z } from 'zod';

/** The control plane answered, but not with what was asked for. */
export class ControlPlaneRefusal extends Error {
  override readonly name = 'ControlPlaneRefusal';

  constructor(readonly status: number) {
    super(`The control plane answered ${String(status)}`);
  }
}

const DEADLINE_MS = 5000;
const TOKEN_DEADLINE_MS = 25_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** What a node asks the control plane over HTTP. Every call ends within 5 s, or as its own words say; each may fail, and the node goes on without. */
export class ControlPlaneClient {
  constructor(
    private readonly baseUrl: string,
    private readonly nodeKey: () => string | undefined,
  ) {}

  async enrol(joinToken: string, request: EnrolRequest): Promise<EnrolResponse> {
    return this.json(EnrolResponse, '/v1/node/enrol', { bearer: joinToken, body: request });
  }

  /** Right after it enrolled a node is not yet known by its new key here. */
  async registerAuditKey(nodeKey: string, publicKey: string): Promise<NodeAuditKeyResponse> {
    return this.json(NodeAuditKeyResponse, '/v1/node/audit-key', { bearer: nodeKey, body: { publicKey } });
  }

  async keys(): Promise<NodeKeysResponse> {
    return this.json(NodeKeysResponse, '/v1/node/keys', {});
  }

  async status(status: NodeStatus): Promise<NodeStatusResponse> {
    return this.json(NodeStatusResponse, '/v1/node/status', { body: status });
  }

  /** Brings audit events past a queue that takes none. */
  async handOverAudit(batch: AuditBatch): Promise<void> {
    await this.bytes(await this.send('/v1/node/audit', { body: batch, type: AUDIT_BATCH_TYPE }));
  }

  /** A server says that what it offers has changed. */
  async serverChanged(serverId: string): Promise<void> {
    await this.bytes(await this.send('/v1/node/changes', { body: { serverId } satisfies NodeChange }));
  }

  /** The token of an operator's connection. It may have to be asked for at its authorization server first, so this may take longer. */
  async credentialToken(credentialId: string, refused: string | undefined): Promise<NodeTokenResponse> {
    return this.json(NodeTokenResponse, `/v1/node/credentials/${credentialId}/token`, { body: { refused }, deadlineMs: TOKEN_DEADLINE_MS });
  }

  /** An agent asks for access. What is filed already is filed once. */
  async fileAccessRequest(request: NodeAccessRequest): Promise<NodeAccessAnswer> {
    return this.json(NodeAccessAnswer, '/v1/node/access-requests', { body: request });
  }

  async findAccessRequests(lookup: NodeAccessLookup): Promise<NodeAccessFound> {
    return this.json(NodeAccessFound, '/v1/node/access-requests/find', { body: lookup });
  }

  /** Null while the control plane has published nothing. */
  async fetchHead(signal: AbortSignal): Promise<SignedHead | null> {
    try {
      return await this.json(SignedHead, '/v1/node/head', { signal });
    } catch (error) {
      if (error instanceof ControlPlaneRefusal && (error.status === 404 || error.status === 503)) return null;
      throw error;
    }
  }

  async fetchChunk(digest: Digest, signal: AbortSignal): Promise<Uint8Array | null> {
    const response = await this.send(`/v1/node/chunks/${digest}`, { signal });
    if (response.status === 404) return null;
    return this.bytes(response);
  }

  private async json<T extends z.ZodType>(schema: T, path: string, request: Outgoing): Promise<z.infer<T>> {
    const bytes = await this.bytes(await this.send(path, request));
    return schema.parse(JSON.parse(Buffer.from(bytes).toString()));
  }

  private async send(
    path: string,
    { bearer = this.nodeKey(), body, type = 'application/json', signal, deadlineMs = DEADLINE_MS }: Outgoing,
  ): Promise<Response> {
    if (bearer === undefined) throw new Error('This node has not enrolled yet');
    const headers: Record<string, string> = { authorization: `Bearer ${bearer}`, accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = type;
    const deadline = AbortSignal.timeout(deadlineMs);
    return fetch(new URL(path, this.baseUrl), {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'error', // our key goes to the address that was configured and to no other
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
  }

  private async bytes(response: Response): Promise<Uint8Array> {
    if (!response.ok) {
      await response.body?.cancel();
      throw new ControlPlaneRefusal(response.status);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > ANSWER_BYTES_MAX) throw new Error('The answer of the control plane is too large');
    return bytes;
  }
}

interface Outgoing {
  readonly bearer?: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}
