import { GatewayError } from '@portcullis/contracts/errors';
import type { NodeAccessAnswer, NodeAccessFound, NodeAccessLookup, NodeAccessRequest } from '@portcullis/contracts/node';
import { LRUCache } from '../memory/lru-cache.js';

/** The control plane, as far as agents reach it through a node. */
interface RequestDesk {
  fileAccessRequest(request: NodeAccessRequest): Promise<NodeAccessAnswer>;
  findAccessRequests(lookup: NodeAccessLookup): Promise<NodeAccessFound>;
}

const WINDOW_MS = 60_000;
/** Filed and looked up together: each is a question to the control plane. */
const ASKED_PER_WINDOW_MAX = 30;
const AGENTS_MAX = 10_000;

/** Asks the control plane for an agent, at most thirty times a minute each. */
export class AccessAsker {
  private readonly windows = new LRUCache<{ readonly since: number; asked: number }>(AGENTS_MAX);

  constructor(private readonly desk: RequestDesk) {}

  /** `node.requests_unavailable` where the control plane cannot be asked; asking again is safe, since the same request is filed once. */
  async file(request: NodeAccessRequest, now: number): Promise<NodeAccessAnswer> {
    this.take(request.agentId, now);
    return orUnavailable(this.desk.fileAccessRequest(request));
  }

  async find(lookup: NodeAccessLookup, now: number): Promise<NodeAccessFound> {
    this.take(lookup.agentId, now);
    return orUnavailable(this.desk.findAccessRequests(lookup));
  }

  private take(agentId: string, now: number): void {
    let window = this.windows.get(agentId);
    if (window === undefined || Math.abs(now - window.since) >= WINDOW_MS) window = { since: now, asked: 0 };
    if (window.asked >= ASKED_PER_WINDOW_MAX) throw new GatewayError('limit.rate', { asked: 'access requests' });
    window.asked += 1;
    this.windows.set(agentId, window);
  }
}

async function orUnavailable<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (cause) {
    throw new GatewayError('node.requests_unavailable', {}, { cause });
  }
}
