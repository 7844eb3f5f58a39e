import { ControlPlaneLink, ControlPlaneRefusal, type ControlPlaneRequest } from '@portcullis/boot';
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

const TOKEN_DEADLINE_MS = 25_000;

/** What a node asks the control plane over HTTP. Every call ends within 5 s, or as its own words say; each may fail, and the node goes on without. */
export class ControlPlaneClient {
  private readonly link: ControlPlaneLink;

  constructor(
    baseUrl: string,
    private readonly nodeKey: () => string | undefined,
  ) {
    this.link = new ControlPlaneLink(baseUrl);
  }

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
    await this.link.bytes(await this.send('/v1/node/audit', { body: batch, type: AUDIT_BATCH_TYPE }));
  }

  /** A server says that what it offers has changed. */
  async serverChanged(serverId: string): Promise<void> {
    await this.link.bytes(await this.send('/v1/node/changes', { body: { serverId } satisfies NodeChange }));
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
    return this.link.bytes(response);
  }

  private async json<T extends z.ZodType>(schema: T, path: string, request: Outgoing): Promise<z.infer<T>> {
    return this.link.json(schema, path, this.withKey(request));
  }

  private async send(path: string, request: Outgoing): Promise<Response> {
    return this.link.send(path, this.withKey(request));
  }

  private withKey({ bearer = this.nodeKey(), ...request }: Outgoing): ControlPlaneRequest {
    if (bearer === undefined) throw new Error('This node has not enrolled yet');
    return { ...request, bearer };
  }
}

/** With the node's own key where it names no other. */
type Outgoing = Omit<ControlPlaneRequest, 'bearer'> & { readonly bearer?: string };
