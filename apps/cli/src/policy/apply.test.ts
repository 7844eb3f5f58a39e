import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '@portcullis/api-client';
import { expect, test, vi } from 'vitest';
import { apply } from './apply.js';
import { revisions } from './revisions.js';

test('a draft, or the list of its changes alone, is made as one revision with the reason that was given', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-draft-'));
  const made = vi.fn<(draft: unknown) => Promise<unknown>>(async () => ({
    value: { revision: 8, changed: 1, diff: [], diffTotal: 0, preview: null },
  }));
  const api = { policy: { apply: made } } as unknown as ApiClient;
  const print = vi.fn<(text: string) => void>();
  const change = { do: 'grant.delete', id: '00000000-0000-7000-8000-000000000001' };
  try {
    for (const draft of [{ changes: [change] }, [change]]) {
      await writeFile(join(directory, 'draft.yaml'), JSON.stringify(draft));
      await apply({ file: join(directory, 'draft.yaml'), reason: 'as agreed' }, { api }, print);
      expect(made).toHaveBeenLastCalledWith({ changes: [change], reason: 'as agreed' });
      expect(print).toHaveBeenLastCalledWith('Changed in revision 8:\n');
    }
    await writeFile(join(directory, 'draft.yaml'), '{ "changes": [{ "do": "everything" }] }');
    await expect(apply({ file: join(directory, 'draft.yaml'), reason: 'x' }, { api }, print)).rejects.toThrow('is no draft of changes');
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('revisions are told newest first with who did what to what, and nothing in them steers a terminal', async () => {
  const at = { createdAt: '2026-01-02T03:04:05.000Z', publishedAt: null };
  const items = [
    {
      revision: 9,
      author: 'ann',
      action: 'agent.updated',
      reason: 'as \u001b[31magreed',
      change: { subject: { kind: 'agent', id: 'x', slug: 'bot' } },
      ...at,
    },
    { revision: 8, author: 'bob', action: 'bench.filled', reason: null, change: {}, ...at },
  ];
  const page = vi.fn<() => Promise<unknown>>(async () => ({ items, nextCursor: null }));
  const print = vi.fn<(text: string) => void>();
  await revisions(2, { api: { revisions: { list: { page } } } as unknown as ApiClient }, print);
  expect(page).toHaveBeenCalledWith({ limit: 2 });
  expect(print).toHaveBeenCalledWith(
    '     9  2026-01-02 03:04  ann  agent.updated agent bot: as [31magreed\n     8  2026-01-02 03:04  bob  bench.filled\n',
  );
});
