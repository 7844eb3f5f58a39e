import { freshDatabase } from '@portcullis/testing';
import { expect, test, vi } from 'vitest';
import { waitForDatabase } from './wait-for-database.js';

test('a process started before its database goes on when the database is there', async () => {
  const own = await freshDatabase();
  const told = vi.fn<(why: string) => void>();
  await waitForDatabase(own.url, told, new AbortController().signal);
  expect(told).not.toHaveBeenCalled();
  await own.drop();
  const stop = new AbortController();
  const waiting = waitForDatabase(own.url, told, stop.signal);
  await vi.waitFor(() => expect(told).toHaveBeenCalledOnce(), 20_000);
  stop.abort();
  await expect(waiting).rejects.toThrow('abort');
  expect(String(told.mock.calls[0])).not.toContain('@'); // no password of the address
});
