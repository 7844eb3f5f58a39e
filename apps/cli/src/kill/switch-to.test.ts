import type { ApiClient } from '@portcullis/api-client';
import { expect, test, vi } from 'vitest';
import { switchTo } from './switch-to.js';

function fakeApi(lagging?: readonly string[]) {
  const update = vi.fn<() => Promise<unknown>>(async () => ({ value: {}, revision: 7, ...(lagging !== undefined && { lagging }) }));
  return { update, api: { agents: { update }, servers: { update } } as unknown as ApiClient };
}

test('switching off waits for every node and says since which revision it holds', async () => {
  const { api, update } = fakeApi();
  const print = vi.fn<(text: string) => void>();
  await switchTo(false, { kind: 'server', slug: 'github', reason: 'leaks' }, { api }, print);
  expect(update).toHaveBeenCalledWith('github', { enabled: false, reason: 'leaks' }, { wait: 'all' });
  expect(print).toHaveBeenCalledWith('The server github is switched off since revision 7, on every node.');
});

test('nodes that have not said so are named', async () => {
  const { api } = fakeApi(['node-2']);
  const print = vi.fn<(text: string) => void>();
  await switchTo(true, { kind: 'agent', slug: 'bot', reason: 'cleared' }, { api }, print);
  expect(print).toHaveBeenCalledWith('The agent bot is switched on since revision 7, but these nodes have not said so: node-2.');
});
