import type { SessionSubscriptions } from '../streams/session-subscriptions.js';

/** What a single node would have of sessions' subscriptions. */
export function memorySubscriptions(): SessionSubscriptions {
  const bySession = new Map<string, Set<string>>();
  const of = (name: string): Set<string> => bySession.get(name) ?? new Set();
  return {
    add: async ({ name }, uri) => Boolean(bySession.set(name, of(name).add(uri))),
    remove: async ({ name }, uri) => void of(name).delete(uri),
    of: async ({ name }) => [...of(name)],
    announceStream: async () => 0,
    onChanged: () => undefined,
    onStream: () => undefined,
  };
}
