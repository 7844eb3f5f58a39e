import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

test('as many changes as one import may make are made in one revision, and an import of the same makes none', async () => {
  const slugs = Array.from({ length: 1000 }, (_, at) => `many-${at}`);
  const file = stringify({ version: 1, agents: Object.fromEntries(slugs.map((slug) => [slug, {}])), groups: { all: { members: slugs.slice(1) } } });
  const send = async (query = ''): Promise<{ status: number; text: string; changed: number }> => {
    const headers = { authorization: `Bearer ${own.admin}`, 'content-type': 'application/yaml' };
    const begun = performance.now();
    const answer = await own.app.inject({ method: 'POST', url: `/v1/policy/import${query}`, headers, payload: file });
    process.stdout.write(`import${query}: ${Math.round(performance.now() - begun)} ms\n`);
    return { status: answer.statusCode, text: answer.payload, changed: answer.json<{ changed: number }>().changed };
  };
  const told = await send('?dryRun=true');
  expect([told.status, told.changed], told.text).toEqual([200, 2000]);
  const done = await send();
  expect([done.status, done.changed], done.text).toEqual([200, 2000]);
  expect((await send()).changed).toBe(0);
});
