import { randomBytes } from 'node:crypto';
import type { JsonObject, RequestId } from '@portcullis/mcp';
import type { Reply } from '../reply/reply.js';

/** A request by which a client goes on with a parked call: what it answers, and where its own answer goes. */
export interface Turn {
  readonly reply: Reply;
  readonly id: RequestId;
  readonly progressToken: RequestId | undefined;
  readonly round: number;
  readonly responses: JsonObject | undefined;
}

/** A call that is held open. */
export interface Held {
  readonly agentId: string;
  /** Goes on for another request of the client; false, and nothing happens, where it does not answer what was asked last. */
  resume(turn: Turn): boolean;
  /** Ends it as if its client had gone. */
  giveUp(): void;
}

const OF_ONE_AGENT_MAX = 16;
const ALL_MAX = 2000;

/** The calls that this node holds open for answers of their clients. */
export class ParkedCalls {
  /** Their names begin with it, so that a node which was started again knows those that it held before. */
  private readonly boot = randomBytes(6).toString('base64url');
  private readonly byName = new Map<string, Held>();
  private readonly perAgent = new Map<string, number>();

  /** The name to find it by again; undefined where its agent, or this node, holds too many. */
  add(call: Held): string | undefined {
    const held = this.perAgent.get(call.agentId) ?? 0;
    if (held >= OF_ONE_AGENT_MAX || this.byName.size >= ALL_MAX) return undefined;
    const name = this.boot + randomBytes(12).toString('base64url');
    this.byName.set(name, call);
    this.perAgent.set(call.agentId, held + 1);
    return name;
  }

  remove(name: string, call: Held): void {
    if (!this.byName.delete(name)) return;
    const left = (this.perAgent.get(call.agentId) ?? 1) - 1;
    if (left > 0) this.perAgent.set(call.agentId, left);
    else this.perAgent.delete(call.agentId);
  }

  /** Goes on with a call of this agent; `unknown` where there is none or it waits for something else, `lost` where it ended with an earlier process. */
  resume(name: string, agentId: string, turn: Turn): 'resumed' | 'unknown' | 'lost' {
    if (!name.startsWith(this.boot)) return 'lost';
    const call = this.byName.get(name);
    return call !== undefined && call.agentId === agentId && call.resume(turn) ? 'resumed' : 'unknown';
  }

  /** Ends all of them, so that each leaves its outcome; for a node that stops. */
  giveUp(): void {
    for (const call of this.byName.values()) call.giveUp();
  }
}
