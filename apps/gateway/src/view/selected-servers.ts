import type { TargetSelector } from '@portcullis/contracts/grants';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { selectsServer } from '@portcullis/policy';

type Servers = ReadonlyMap<string, ServerEntry>;

const found = new WeakMap<Servers, Map<string, readonly ServerEntry[]>>();
const unions = new WeakMap<readonly TargetSelector[], { readonly servers: WeakRef<Servers>; readonly selected: readonly ServerEntry[] }>();

/** The same text for selectors that are about the same servers. */
export const selectorKey = ({ tags, environment }: TargetSelector): string => JSON.stringify([tags, environment]);

/** The servers that any of these selectors is about, each once; looked for once per snapshot, however many agents share a selector. */
export function selectedServers(selectors: readonly TargetSelector[], servers: Servers): readonly ServerEntry[] {
  const known = unions.get(selectors);
  if (known !== undefined && known.servers.deref() === servers) return known.selected;
  const selected = [...new Set(selectors.flatMap((selector) => selectedBy(selector, servers)))];
  // Weakly: a table that is not asked again must not keep the policy of its time in memory.
  unions.set(selectors, { servers: new WeakRef(servers), selected });
  return selected;
}

function selectedBy(selector: TargetSelector, servers: Servers): readonly ServerEntry[] {
  let bySelector = found.get(servers);
  if (bySelector === undefined) found.set(servers, (bySelector = new Map()));
  const key = selectorKey(selector);
  let selected = bySelector.get(key);
  if (selected === undefined) {
    selected = [...servers.values()].filter((server) => selectsServer(selector, server));
    bySelector.set(key, selected);
  }
  return selected;
}
