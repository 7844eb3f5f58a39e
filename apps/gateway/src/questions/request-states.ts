import { createHash, randomBytes } from 'node:crypto';
import { openText, type Sealer } from '@portcullis/secrets';
import { z } from 'zod';
import { LRUCache } from '../memory/lru-cache.js';
import type { SessionStore } from '../session/session-store.js';
import { ANSWER_MS_MAX } from './ask-agent.js';

/** The call a state belongs to; it opens for no other. */
export interface StatePlace {
  readonly agentId: string;
  readonly serverId: string;
  readonly method: string;
  readonly name: string;
  readonly argumentsJson: string | undefined;
}

const Content = z.discriminatedUnion('kind', [
  /** A call that a node holds open, and which of its rounds this is. */
  z.object({ kind: z.literal('parked'), node: z.string(), name: z.string(), round: z.number() }),
  /** What a modern server said, to be said to it again; only what it asked may be answered. */
  z.object({ kind: z.literal('server'), state: z.string(), keys: z.array(z.string()) }),
  /** The call is to be made once more, after something was done elsewhere. */
  z.object({ kind: z.literal('again'), keys: z.array(z.string()) }),
]);
export type StateContent = z.infer<typeof Content>;

const Sealed = z.tuple([z.number(), z.string(), Content]);
const REMEMBERED_MAX = 10_000;

/** Makes and opens the `requestState` that modern clients hand back: sealed, bound to one call of one agent, good for ten minutes and once. */
export class RequestStates {
  private readonly used = new LRUCache<true>(REMEMBERED_MAX);

  constructor(private readonly parts: { readonly sealer: () => Sealer; readonly store: SessionStore; readonly now: () => number }) {}

  seal(content: StateContent, place: StatePlace): string {
    const sealed: z.infer<typeof Sealed> = [this.parts.now() + ANSWER_MS_MAX, randomBytes(12).toString('base64url'), content];
    return this.parts.sealer().seal(JSON.stringify(sealed), aadOf(place));
  }

  /** What a state says; undefined for one that is forged, expired, used, or of another call. */
  async open(state: string, place: StatePlace): Promise<StateContent | undefined> {
    const read = this.read(state, place);
    if (read === undefined) return undefined;
    const [expiresAt, nonce, content] = read;
    if (expiresAt <= this.parts.now()) return undefined;
    // The node that holds a parked call knows which of its rounds is open.
    return content.kind === 'parked' || (await this.useOnce(nonce)) ? content : undefined;
  }

  private read(state: string, place: StatePlace): z.infer<typeof Sealed> | undefined {
    const text = openText(this.parts.sealer(), state, aadOf(place));
    return text === undefined ? undefined : Sealed.safeParse(JSON.parse(text)).data;
  }

  /** Without Redis each node knows its own; the binding to call and time holds in any case. */
  private async useOnce(nonce: string): Promise<boolean> {
    if (this.used.get(nonce) !== undefined) return false;
    this.used.set(nonce, true);
    return this.parts.store.setIfAbsent(`portcullis:used-state:${nonce}`, '1', ANSWER_MS_MAX).catch(() => true);
  }
}

function aadOf({ agentId, serverId, method, name, argumentsJson }: StatePlace): string {
  const asked = createHash('sha256')
    .update(JSON.stringify([method, name, argumentsJson ?? null]))
    .digest('base64url');
  return `request-state|1|${agentId}|${serverId}|${asked}`;
}
