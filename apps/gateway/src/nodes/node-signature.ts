import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What one node says to another, as far as its signature covers it. */
interface SignedExchange {
  readonly method: string;
  readonly path: string;
  /** The advertised address of the node it is meant for, so that it cannot be sent on to another. */
  readonly recipient: string;
  readonly body: Uint8Array;
}

/** A key that all nodes hold; the id tells generations apart. */
export interface NodeLinkKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** How far the clocks of two nodes may be apart, and how long a request may travel. */
export const SIGNATURE_MS_MAX = 30_000;

const SHAPE = /^v1 ([A-Za-z0-9_-]{1,64}) (\d{1,15}) ([A-Za-z0-9_-]{16}) ([A-Za-z0-9_-]{43})$/;

/** The `Authorization` of a request between nodes: HMAC-SHA256 over all that it asks, to whom, and when. */
export function signExchange(exchange: SignedExchange, { id, key }: NodeLinkKey, at: { now: number; nonce: string }): string {
  const mac = macOf(exchange, key, `${String(at.now)}\n${at.nonce}`);
  return `v1 ${id} ${String(at.now)} ${at.nonce} ${mac.toString('base64url')}`;
}

/** Verifies signatures, each of them once: what was seen within the window is refused when it comes again. */
export class SignatureVerifier {
  private readonly seen = new Map<string, number>();

  constructor(private readonly keys: () => readonly NodeLinkKey[]) {}

  /** Whether a node made this request, for this node, now (epoch milliseconds). */
  accepts(header: string | undefined, exchange: SignedExchange, now: number): boolean {
    const [, id, time, nonce, mac] = SHAPE.exec(header ?? '') ?? [];
    if (id === undefined || time === undefined || nonce === undefined || mac === undefined) return false;
    if (Math.abs(now - Number(time)) > SIGNATURE_MS_MAX) return false;
    const key = this.keys().find((candidate) => candidate.id === id)?.key;
    if (key === undefined) return false;
    const given = Buffer.from(mac, 'base64url');
    const expected = macOf(exchange, key, `${time}\n${nonce}`);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    return this.isFirst(mac, now);
  }

  private isFirst(mac: string, now: number): boolean {
    // In order of arrival, so the oldest come first; a signature of the future is good until its own window ends.
    for (const [known, until] of this.seen) {
      if (until > now) break;
      this.seen.delete(known);
    }
    if (this.seen.has(mac)) return false;
    this.seen.set(mac, now + 2 * SIGNATURE_MS_MAX);
    return true;
  }
}

function macOf({ method, path, recipient, body }: SignedExchange, key: Uint8Array, moment: string): Buffer {
  const digest = createHash('sha256').update(body).digest('hex');
  return createHmac('sha256', key).update(`${method}\n${path}\n${recipient}\n${moment}\n${digest}`).digest();
}
