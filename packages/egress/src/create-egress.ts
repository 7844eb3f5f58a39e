import { Agent, fetch as undiciFetch, type RequestInit as UndiciRequestInit } from 'undici';
import { CallPool, type PoolOptions } from './call-pool.js';
import { checkUrl, requireUrl, type UrlVerdict } from './check-url.js';
import { EgressRefused } from './egress-refused.js';
import { PeerKeys } from './peer-keys.js';
import { createVetAddress } from './vet-address.js';
import { createVettedConnector, resolveBySystem, type Resolve, type TlsIdentity } from './vetted-connector.js';

/** What one process may reach, from its own configuration and never from what an operator types. */
export interface EgressOptions {
  /** CIDR ranges beyond the public network, such as `127.0.0.0/8`. Empty means none. */
  allow: readonly string[];
  /** PEM certificates trusted beside the system's. */
  ca?: string | undefined;
  /** How long a connection may take to be made, look-up and TLS included. Default 10 s. */
  connectTimeoutMs?: number;
  /** How long `fetch` and `dispatcher` wait for the head of an answer, and between two pieces of its body. Default 300 s. */
  silenceMsMax?: number;
  /** Largest body `fetch` and `dispatcher` take; -1 for no limit. Default 64 MiB. */
  bodyBytesMax?: number;
  /** Where names are looked up. Default: the system. */
  resolve?: Resolve;
  /** Whether it is noted with which public keys servers show themselves (`peerKeyOf`). Connections then never go on with a TLS session. Default no. */
  notesPeerKeys?: boolean;
}

/** The only way out to an address that somebody typed. */
export interface Egress {
  /** For whoever brings requests of their own: connects to vetted addresses only, follows no redirect, heeds no proxy variable. */
  dispatcher: Agent;
  /** `fetch` through the dispatcher. Throws EgressRefused for a refused address, at any stage, and for every 3xx answer. */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  /** The same over connections of its own to servers that are reached with certificates of theirs. Throws for a certificate that cannot be read. */
  fetchWith(tls: TlsIdentity): ApartFetch;
  /** SHA-256 (hex) of the public key (SubjectPublicKeyInfo) in the certificate that this origin showed last; undefined where none was noted. */
  peerKeyOf(url: string | URL): string | undefined;
  /** Judges an address without asking DNS. */
  checkUrl(url: string | URL): UrlVerdict;
  /** A new pool to one origin, for the path of a call; the caller closes it. Throws EgressRefused for an address that `checkUrl` refuses. */
  poolFor(origin: string | URL, options?: PoolOptions & { readonly tls?: TlsIdentity | undefined }): CallPool;
  /** Ends the connections of `fetch` and the dispatcher, not those of pools. */
  close(): Promise<void>;
}

/** A way out of its own, which whoever asked for it closes; `close` of the egress ends what is left of them. */
export interface ApartFetch {
  readonly fetch: Egress['fetch'];
  /** Takes no more requests, and resolves when those that are under way have ended. */
  close(): Promise<void>;
}

/** Opens the way out. Throws for a range or certificate that cannot be read. */
export function createEgress(options: EgressOptions): Egress {
  const { allow, ca, connectTimeoutMs = 10_000, silenceMsMax = 300_000, bodyBytesMax = 64 * 1024 * 1024, resolve = resolveBySystem } = options;
  const vetAddress = createVetAddress(allow);
  const peerKeys = options.notesPeerKeys === true ? new PeerKeys() : undefined;
  const connectorWith = (tls?: TlsIdentity) => {
    const connector = createVettedConnector({ vetAddress, resolve, ca, tls, connectTimeoutMs, showsCertificate: peerKeys !== undefined });
    return peerKeys?.noting(connector) ?? connector;
  };
  const limits = { allowH2: false, headersTimeout: silenceMsMax, bodyTimeout: silenceMsMax, maxResponseSize: bodyBytesMax };
  const connect = connectorWith();
  const dispatcher = new Agent({ ...limits, connect });
  const apart = new Set<Agent>();
  const fetchOver = (agent: Agent): Egress['fetch'] => {
    return async (typed, init) => fetchThrough(agent, requireUrl(typed, vetAddress), init);
  };
  return {
    dispatcher,
    checkUrl: (url) => checkUrl(url, vetAddress),
    peerKeyOf: (url) => peerKeys?.of(url),
    fetch: fetchOver(dispatcher),
    fetchWith: (tls) => {
      const agent = new Agent({ ...limits, connect: connectorWith(tls) });
      apart.add(agent);
      const end = async (): Promise<void> => {
        apart.delete(agent);
        await agent.close();
      };
      return { fetch: fetchOver(agent), close: end };
    },
    poolFor: (origin, { tls, ...poolOptions } = {}) => {
      const { origin: vetted } = requireUrl(origin, vetAddress);
      return new CallPool(new URL(vetted), tls === undefined ? connect : connectorWith(tls), poolOptions);
    },
    close: async () => {
      await Promise.all([dispatcher, ...apart].map((agent) => agent.close()));
    },
  };
}

async function fetchThrough(dispatcher: Agent, url: URL, init: RequestInit = {}): Promise<Response> {
  // undici and Node type the same web standard twice; at run time they take and give the same objects.
  const ours = { ...init, dispatcher, redirect: 'manual' } as unknown as UndiciRequestInit;
  const response = await undiciFetch(url, ours).catch((error: unknown) => {
    throw refusalIn(error) ?? error;
  });
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel();
    throw new EgressRefused('egress.redirect');
  }
  return response as unknown as Response;
}

/** fetch wraps what a connection threw; a refusal must reach the caller as itself. */
function refusalIn(error: unknown): EgressRefused | undefined {
  if (error instanceof EgressRefused) return error;
  return error instanceof Error && error.cause !== undefined ? refusalIn(error.cause) : undefined;
}
