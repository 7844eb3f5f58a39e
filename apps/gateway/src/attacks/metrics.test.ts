import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { statusOf } from '../testing/raw-exchange.js';

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());

const NAMES = 100;
const chosen = (at: number): string => `chosen-${String(at)}-\u00e9"} 1`;

/** One request of every kind whose text somebody else chose: tool, prompt, resource, method, path, key, host, client, agent. */
async function ask(name: string): Promise<void> {
  const client = { clientInfo: { name, version: name }, protocolVersion: '2025-06-18', capabilities: {} };
  const requests = [
    mcpRequest('tools/call', { params: { name: `m__${name}` } }),
    mcpRequest('tools/call', { era: 'modern', params: { name } }),
    mcpRequest('prompts/get', { params: { name } }),
    mcpRequest('resources/read', { params: { uri: `x://t/${name}` } }),
    mcpRequest(`tools/${name}`),
    mcpRequest('initialize', { params: client }),
    mcpRequest('tools/list', { path: `/servers/${name}/mcp` }),
    { line: `POST /${name} HTTP/1.1` },
    { headers: { Authorization: `Bearer ${name}` } },
    { headers: { Host: `${name}.example` } },
    { extra: [`X-Agent-Id: ${name}`], headers: { 'MCP-Protocol-Version': name } },
  ];
  await Promise.all(requests.map((request) => stage.send(request)));
}

const series = (text: string): string[] => text.split('\n').flatMap((line) => /^([a-z_]+(?:\{[^}]*\})?) /.exec(line)?.[1] ?? []);

test('A147: names that others choose make no series: after a hundred of each there are as many as after a few', async () => {
  for (let at = 0; at < 3; at += 1) await ask(chosen(-at));
  const few = series(await stage.scraped());
  for (let at = 1; at <= NAMES; at += 1) await ask(chosen(at));
  const scraped = await stage.scraped();
  expect(series(scraped).filter((one) => !few.includes(one) && one.startsWith('portcullis_'))).toEqual([]);
  expect(scraped).not.toContain('chosen-');
  expect(scraped).toContain('method="other"');
  expect(statusOf(await stage.send({}))).toBe(200);
});
