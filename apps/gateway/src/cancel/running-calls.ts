import type { RequestId } from '@portcullis/mcp';
import type { Cancellation } from './cancellation.js';

/** By what a client names its call when it cancels it: its own session and id, which mean nothing in the session of another. */
export function callName(caller: string, session: string | undefined, id: RequestId): string {
  return `${caller} ${session ?? '-'} ${typeof id === 'string' ? 's' : 'n'}${String(id)}`;
}

/** The calls in progress on this node that a later message may cancel. */
export class RunningCalls {
  private readonly byName = new Map<string, Cancellation[]>();

  add(name: string, call: Cancellation): void {
    const same = this.byName.get(name);
    if (same === undefined) this.byName.set(name, [call]);
    else same.push(call);
  }

  remove(name: string, call: Cancellation): void {
    const same = this.byName.get(name);
    if (same === undefined || same.length === 1) this.byName.delete(name);
    else same.splice(same.indexOf(call), 1);
  }

  /** Cancels the call of this name; false where none runs here. Of two that cannot be told apart neither is cancelled: one may be wanted. */
  cancel(name: string): boolean {
    const same = this.byName.get(name);
    if (same?.length !== 1) return false;
    same[0]?.cancel();
    return true;
  }
}
