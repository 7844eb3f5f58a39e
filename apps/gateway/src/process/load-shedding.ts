import type { Socket } from 'node:net';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { GatewayError } from '@portcullis/contracts/errors';

/** From which part of the memory on what is refused, the least loss first: agents on new connections, then lists and streams, then calls. */
const STEPS = [0.85, 0.9, 0.95] as const;
const [CONNECTIONS, LISTS, CALLS] = [1, 2, 3];
/** It has to be less by so much before it is taken again. */
const RELIEF = 0.05;
const LOOK_EVERY_MS = 500;

/**
 * What a node refuses (`node.overloaded`) while its memory runs out, so that what it has begun ends well. The trail, policy, cancels and answers to
 * questions are never refused.
 */
export class LoadShedding {
  /** How many of the steps are taken, 0 to 3. */
  level = 0;
  private readonly late = new WeakSet<Socket>();

  /** `used` gives the part of the memory that is used. */
  constructor(private readonly used: () => number) {}

  /** To be called from time to time. */
  look(): void {
    const used = this.used();
    this.level = STEPS.filter((step, index) => used >= (this.level > index ? step - RELIEF : step)).length;
  }

  /** Whether connections that come are taken; over TLS they are closed before they cost a handshake. */
  takesConnections(): boolean {
    return this.level < CONNECTIONS;
  }

  /** A connection that comes while others should not is told so with its first request. */
  connected(socket: Socket): void {
    if (!this.takesConnections()) this.late.add(socket);
  }

  admitConnection(socket: Socket): void {
    if (this.level >= CONNECTIONS && this.late.has(socket)) throw new GatewayError('node.overloaded', { part: 'connections' });
  }

  /** A handshake, a list, or a stream that stays open. */
  admitList(): void {
    if (this.level >= LISTS) throw new GatewayError('node.overloaded', { part: 'lists' });
  }

  admitCall(): void {
    if (this.level >= CALLS) throw new GatewayError('node.overloaded', { part: 'calls' });
  }
}

/** Looks at this process's memory until it closes: at the heap, and where memory is limited from outside, at all of it. */
export function shedLoad(onClose: (name: string, close: () => void) => void): LoadShedding {
  const shedding = new LoadShedding(memoryUsed);
  const timer = setInterval(() => shedding.look(), LOOK_EVERY_MS).unref();
  onClose('load shedding', () => clearInterval(timer));
  return shedding;
}

function memoryUsed(): number {
  const { used_heap_size: heap, heap_size_limit: heapMax } = getHeapStatistics();
  const max = process.constrainedMemory();
  const isLimited = max > 0 && max < totalmem();
  return Math.max(heap / heapMax, isLimited ? process.memoryUsage.rss() / max : 0);
}
