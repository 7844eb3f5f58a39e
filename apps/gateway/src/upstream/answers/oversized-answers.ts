import { GatewayError } from '@portcullis/contracts/errors';

const MIB = 1024 * 1024;
/** What may be read of one agent's over-long answers before its calls are refused. */
export const BORNE_BYTES = 24 * MIB;
/** What is forgotten of it in each second, so that in the end one such answer costs a node a few milliseconds in a second. */
export const FORGOTTEN_BYTES = MIB / 2;
const REFUSED_MS_MAX = 30_000;

/**
 * How much of a server's answers was read for each agent only to be thrown away, since they turned out too long. Whoever asks for many of them is
 * refused (`upstream.suspended`) for some seconds; nobody else is.
 */
export class OversizedAnswers {
  private readonly byAgent = new Map<string, { bytes: number; at: number }>();

  constructor(private readonly now: () => number) {}

  requireFew(agentId: string): void {
    if (this.byAgent.size > 0 && this.bytesOf(agentId) > BORNE_BYTES) throw new GatewayError('upstream.suspended', { fault: 'answers too large' });
  }

  add(agentId: string, bytes: number): void {
    if (bytes <= 0) return;
    const bytesMax = BORNE_BYTES + (FORGOTTEN_BYTES * REFUSED_MS_MAX) / 1000;
    this.byAgent.set(agentId, { bytes: Math.min(bytesMax, this.bytesOf(agentId) + bytes), at: this.now() });
  }

  private bytesOf(agentId: string): number {
    const known = this.byAgent.get(agentId);
    if (known === undefined) return 0;
    const left = known.bytes - ((this.now() - known.at) / 1000) * FORGOTTEN_BYTES;
    if (left <= 0) this.byAgent.delete(agentId);
    return Math.max(0, left);
  }
}
