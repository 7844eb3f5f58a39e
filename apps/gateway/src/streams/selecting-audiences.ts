import type { TargetSelector } from '@portcullis/contracts/grants';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { selectsServer } from '@portcullis/policy';
import { selectorKey } from '../view/selected-servers.js';

/** Audiences by what their grants select: a server that gains a tag joins lists that have known nothing of it. */
export class SelectingAudiences<Audience> {
  private readonly byKey = new Map<string, { readonly selector: TargetSelector; readonly audiences: Set<Audience> }>();

  move(audience: Audience, before: readonly TargetSelector[], after: readonly TargetSelector[]): void {
    if (before === after) return;
    for (const selector of before) {
      const key = selectorKey(selector);
      const entry = this.byKey.get(key);
      if (entry?.audiences.delete(audience) === true && entry.audiences.size === 0) this.byKey.delete(key);
    }
    for (const selector of after) {
      const key = selectorKey(selector);
      const entry = this.byKey.get(key);
      if (entry === undefined) this.byKey.set(key, { selector, audiences: new Set([audience]) });
      else entry.audiences.add(audience);
    }
  }

  /** Whoever selects one of these servers, each selector being looked at once, however many share it. */
  concernedBy(servers: readonly ServerEntry[]): readonly Audience[] {
    if (servers.length === 0) return [];
    const concerned = [...this.byKey.values()].filter(({ selector }) => servers.some((server) => selectsServer(selector, server)));
    return concerned.flatMap(({ audiences }) => [...audiences]);
  }
}
