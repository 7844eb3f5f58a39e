import { realpathSync } from 'node:fs';
import { whateverWasUncaught } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunnerClient, stdioServer } from '../testing/runner-client.js';
import { TestRunner, type ProfileInput } from '../testing/test-runner.js';

let runner: TestRunner;
let neighbour: RunnerClient;
beforeAll(async () => {
  runner = await TestRunner.start();
  neighbour = new RunnerClient(runner.assign('neighbour', stdioServer()));
  await neighbour.open();
});
afterAll(() => runner.close());

/** A child of the older or the newer era that says a line of its own before the answer to each request of this method, or in its place. */
function childThatSays(line: string, { at, answers, isModern }: { at: string; answers: boolean; isModern: boolean }): ProfileInput {
  const script = `
    const say = (message) => console.log(typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message }));
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    require('node:readline').createInterface({ input: process.stdin }).on('line', (text) => {
      const { id, method, params } = JSON.parse(text);
      if (id === undefined) return;
      const token = JSON.stringify(params?._meta?.progressToken ?? 0);
      if (method === ${JSON.stringify(at)}) say(${JSON.stringify(line)}.replace('ID', id).replace('TOKEN', token).replace('DEEP', deep));
      if (method === ${JSON.stringify(at)} && !${String(answers)}) return;
      if (method === 'server/discover' && !${String(isModern)}) say({ id, error: { code: -32601, message: 'no' } });
      else say({ id, result: { supportedVersions: ['2026-07-28'], protocolVersion: '2025-11-25', capabilities: {}, content: [] } });
    });`;
  return { program: { kind: 'executable', path: realpathSync(process.execPath) }, args: ['-e', script] };
}

const LINES: Readonly<Record<string, string>> = {
  'an answer that is JSON by its outline alone': '{"jsonrpc":"2.0","id":ID,"result":{x}}',
  'an error that is': '{"jsonrpc":"2.0","id":ID,"error":no}',
  'an answer that lies deep': '{"jsonrpc":"2.0","id":ID,"result":{"x":DEEP}}',
  'progress that lies deep': '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":TOKEN,"progress":1,"x":DEEP}}',
  'news of a subscription that lie deep':
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"x":DEEP,"_meta":{"io.modelcontextprotocol/subscriptionId":ID}}}',
  'a question by a name that lies deep': '{"jsonrpc":"2.0","id":DEEP,"method":"roots/list"}',
  'a ping by a name that lies deep': '{"jsonrpc":"2.0","id":DEEP,"method":"ping"}',
  'a question by no name': '{"jsonrpc":"2.0","id":{"a":1},"method":"roots/list"}',
  'a log entry that lies deep': '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":DEEP}}',
};
const WAYS = [
  ['initialize', 'shared'],
  ['initialize', 'per-agent'],
  ['tools/call', 'shared'],
  ['tools/call', 'per-agent'],
  ['tools/call', 'modern'],
] as const;
const cases = Object.keys(LINES).flatMap((what) => WAYS.map((way) => [what, ...way] as const));

test.each(cases)('%s, said at %s by a child that is %s, ends neither the runner nor a child beside it', async (what, at, kind) => {
  const isModern = kind === 'modern';
  const answers = !what.startsWith('an ');
  const profile = childThatSays(LINES[what] ?? '', { at, answers, isModern });
  const instances = kind === 'per-agent' ? { mode: 'per-agent' as const, most: 2 } : undefined;
  const url = runner.assign('hostile', { ...profile, ...(instances && { instances }) });
  const uncaught = await whateverWasUncaught(async () => {
    const client = new RunnerClient(url);
    const asked = new AbortController();
    const call = async (): Promise<unknown> => {
      if (!isModern) await client.open();
      const answer = await client.post(
        { id: 1, method: 'tools/call', params: { name: 'x', _meta: { progressToken: 'p' } } },
        { signal: asked.signal },
      );
      return answer.text();
    };
    await call().catch(() => undefined);
    expect(await neighbour.value('echo', { still: 'here' })).toEqual({ still: 'here' });
    asked.abort();
  });
  expect(uncaught).toEqual([]);
});
