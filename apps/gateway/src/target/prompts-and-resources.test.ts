import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders, modernHeaders, modernMeta } from '../testing/mcp-headers.js';
import { aDefinition, aGrant, anAgent, aServer } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';

const agent = anAgent('alice');
const { gateway, live } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;
let asked: unknown;

beforeAll(async () => {
  upstream = await startScriptedServer();
  const definitions = [
    aDefinition('prompt', 'greet'),
    aDefinition('prompt', 'hidden'),
    { ...aDefinition('resource', 'test://a'), json: '{"uri":"test://a","name":"A"}' },
    { ...aDefinition('resource_template', 'test://t/{id}'), json: '{"uriTemplate":"test://t/{id}","name":"T"}' },
  ];
  const one = aServer('one', definitions, { url: upstream.url, era: 'modern' });
  const grants = [aGrant(agent, one, { kind: 'prompts', names: ['greet'] }), aGrant(agent, one, { kind: 'resources' })];
  live.snapshot = aSnapshot({ servers: [one], agents: [agent], grants });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
  upstream.answer = ({ json, message }) => {
    asked = message;
    json({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ttlMs: 99, cacheScope: 'public', messages: [], contents: [] } });
  };
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});

async function ask(era: 'legacy' | 'modern', method: string, params: Record<string, string> = {}) {
  const mirrored = params['name'] ?? params['uri'];
  const headers = modernHeaders(method, mirrored);
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(agent.token),
      ...(era === 'modern' && headers),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, ...(era === 'modern' && { _meta: modernMeta }) } }),
  });
  return (await response.json()) as { result?: Record<string, unknown>; error?: unknown };
}

describe.each(['legacy', 'modern'] as const)('prompts and resources (%s)', (era) => {
  test('are listed as granted', async () => {
    expect(await ask(era, 'prompts/list')).toMatchObject({ result: { prompts: [{ name: 'one__greet' }] } });
    expect(await ask(era, 'resources/list')).toMatchObject({ result: { resources: [{ uri: 'test://a', name: 'A' }] } });
    expect(await ask(era, 'resources/templates/list')).toMatchObject({ result: { resourceTemplates: [{ uriTemplate: 'test://t/{id}' }] } });
  });

  test('are got and read under the server’s own names', async () => {
    expect(await ask(era, 'prompts/get', { name: 'one__greet' })).toMatchObject({ result: { messages: [] } });
    expect(asked).toMatchObject({ method: 'prompts/get', params: { name: 'greet' } });
    for (const uri of ['test://a', 'test://t/5']) {
      const { result } = await ask(era, 'resources/read', { uri });
      expect(result).toMatchObject({ contents: [] });
      if (era === 'modern') expect(result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
      expect(asked).toMatchObject({ method: 'resources/read', params: { uri } });
    }
  });

  test('that were not granted answer as unknown', async () => {
    expect(await ask(era, 'prompts/get', { name: 'one__hidden' })).toMatchObject({ error: { code: -32602, message: 'Unknown prompt: one__hidden' } });
    const code = era === 'legacy' ? -32002 : -32602;
    expect(await ask(era, 'resources/read', { uri: 'test://b' })).toMatchObject({ error: { code, data: { uri: 'test://b' } } });
  });
});
