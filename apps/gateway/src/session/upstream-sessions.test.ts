import { createSealer } from '@portcullis/secrets';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { IndexedSessionStore } from './session-store.js';
import { UpstreamSessions, type SessionOwner } from './upstream-sessions.js';

const HOUR_MS = 3_600_000;
const owner: SessionOwner = { serverId: 'server', agentId: 'agent', session: 'own', capabilities: {} };

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** What two nodes share; values expire as Redis lets them. */
function sharedStore(): IndexedSessionStore {
  const entries = new Map<string, { value: string; endsAt: number }>();
  const live = (key: string) => {
    const entry = entries.get(key);
    return entry !== undefined && entry.endsAt > performance.now() ? entry : undefined;
  };
  const put = (key: string, value: string, ttlMs: number): void => void entries.set(key, { value, endsAt: performance.now() + ttlMs });
  return {
    get: async (key) => live(key)?.value ?? null,
    setIfAbsent: async (key, value, ttlMs) => (live(key) === undefined ? (put(key, value, ttlMs), true) : false),
    set: async (key, value, ttlMs) => put(key, value, ttlMs),
    delete: async (key) => void entries.delete(key),
    touch: async (key, ttlMs) => void (live(key) !== undefined && put(key, live(key)?.value ?? '', ttlMs)),
    addMember: async () => undefined,
    members: async () => [],
    takeMembers: async () => [],
  };
}

function aNode(store: IndexedSessionStore) {
  const sealer = createSealer({ current: { id: 'test', key: Buffer.alloc(32, 1) } });
  const sessions = new UpstreamSessions(store, () => sealer);
  const ended: (string | undefined)[] = [];
  sessions.onUnused = (_serverId, { id }) => void ended.push(id);
  const use = (id: string) => sessions.get(owner, async () => ({ id, version: '2025-11-25' }));
  return { sessions, ended, use };
}

test('a session that nobody has used for an hour is ended at its server, once', async () => {
  const { sessions, ended, use } = aNode(sharedStore());
  await use('one');
  vi.advanceTimersByTime(HOUR_MS);
  await sessions.dropUnused();
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(61_000);
  await sessions.dropUnused();
  await sessions.dropUnused();
  expect(ended).toEqual(['one']);
});

test('a session that another node uses stays', async () => {
  const store = sharedStore();
  const [idle, busy] = [aNode(store), aNode(store)];
  await idle.use('one');
  expect((await busy.use('two')).id).toBe('one');
  for (let minutes = 0; minutes < 70; minutes += 11) {
    vi.advanceTimersByTime(11 * 60_000);
    await busy.use('two');
  }
  await idle.sessions.dropUnused();
  expect([...idle.ended, ...busy.ended]).toEqual([]);
});

test('of two sessions that two nodes open at once the one that is not kept is ended', async () => {
  const store = sharedStore();
  const [first, second] = [aNode(store), aNode(store)];
  const both = await Promise.all([first.use('one'), second.use('two')]);
  expect(new Set(both.map(({ id }) => id)).size).toBe(1);
  expect([...first.ended, ...second.ended]).toEqual([both[0]?.id === 'one' ? 'two' : 'one']);
});

test('while the nodes know nothing of each other no session is ended', async () => {
  const store = sharedStore();
  const { sessions, ended, use } = aNode({ ...store, get: () => Promise.reject(new Error('away')) });
  await use('one');
  vi.advanceTimersByTime(2 * HOUR_MS);
  await sessions.dropUnused();
  expect(ended).toEqual([]);
});
