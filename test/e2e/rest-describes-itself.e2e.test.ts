import { describe, expect, test } from 'vitest';
import { demoStack } from './demo-stack.js';

const { controlPlaneUrl, operatorToken } = demoStack();
const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Operation {
  readonly responses: Record<string, unknown>;
  readonly requestBody?: unknown;
  readonly parameters?: { readonly name: string; readonly in: string }[];
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Partial<Record<(typeof methods)[number], Operation>>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

const read = async (): Promise<OpenApi> => (await fetch(`${controlPlaneUrl}/v1/openapi.json`)).json() as Promise<OpenApi>;

// What operators can do, written down by hand: a route that is renamed or lost is a broken promise.
const promised = [
  'get post /v1/servers',
  'get patch delete /v1/servers/{server}',
  'post /v1/servers/{server}/discovery',
  'get /v1/servers/{server}/definitions',
  'post /v1/servers/{server}/definitions/approve',
  'post /v1/servers/{server}/definitions/reject',
  'get /v1/servers/{server}/definitions/{id}/diff',
  'post /v1/servers/{server}/resume',
  'post /v1/definitions/approve',
  'post /v1/definitions/reject',
  'get /v1/drift',
  'get /v1/drift/{id}',
  'get post /v1/imports',
  'post /v1/imports/registry',
  'get /v1/imports/{import}',
  'get /v1/imports/{import}/rows',
  'post /v1/imports/{import}/cancel',
  'get /v1/search',
  'get post /v1/agents',
  'get patch delete /v1/agents/{agent}',
  'get post /v1/agents/{agent}/keys',
  'delete /v1/agents/{agent}/keys/{keyId}',
  'get /v1/agents/{agent}/access',
  'get post /v1/groups',
  'get delete /v1/groups/{group}',
  'get /v1/groups/{group}/members',
  'put delete /v1/groups/{group}/members/{agent}',
  'get post /v1/grants',
  'get patch delete /v1/grants/{grant}',
  'post /v1/policy/explain',
  'get /v1/revisions',
  'get /v1/audit/events',
  'get /v1/audit/events/{callId}',
  'get /v1/audit/integrity',
  'get /v1/audit/verify',
  'get /v1/audit/proof',
  'get /v1/audit/keys',
  'get put /v1/audit/retention',
  'post /v1/audit/retention/runs',
  'get post /v1/audit/holds',
  'delete /v1/audit/holds/{id}',
  'get /v1/nodes',
  'get post /v1/operators',
  'get patch /v1/settings',
].flatMap((line) => {
  const words = line.split(' ');
  return words.slice(0, -1).map((method) => `${method} ${(words.at(-1) ?? '').replace(/\{\w+\}/g, '{}')}`);
});

describe('the OpenAPI document', () => {
  test('is OpenAPI 3.1 and lists every route that operators were promised', async () => {
    const { openapi, paths } = await read();
    expect(openapi).toMatch(/^3\.1\./);
    const listed = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`));
    expect(promised.filter((route) => !listed.includes(route))).toEqual([]);
  });

  test('names its path parameters, what it answers and the problem document, and every reference leads somewhere', async () => {
    const document = await read();
    for (const [path, item] of Object.entries(document.paths))
      for (const method of methods) {
        const operation = item[method];
        if (operation === undefined) continue;
        const named = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => name);
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        expect(new Set(named), `${method} ${path}`).toEqual(new Set(inPath));
        expect(
          Object.keys(operation.responses).some((status) => status.startsWith('2')),
          `${method} ${path}`,
        ).toBe(true);
        expect(JSON.stringify(operation.responses)).toContain('#/components/schemas/Problem');
      }
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([]);
  });

  test('tells the truth about who may ask: every route of an operator refuses a stranger', async () => {
    const { paths } = await read();
    for (const [path, item] of Object.entries(paths))
      for (const method of methods) {
        if (item[method] === undefined) continue;
        const answer = await fetch(controlPlaneUrl + path.replace(/\{\w+\}/g, '01a2028f-e6a6-71b0-8305-cbf8ce3ceda3'), {
          method: method.toUpperCase(),
        });
        expect(`${method} ${path} ${answer.status}`).toBe(`${method} ${path} 401`);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
        await answer.body?.cancel();
      }
  });
});

describe('the page to browse it', () => {
  test('is HTML that takes everything it shows from the same place', async () => {
    const page = await fetch(`${controlPlaneUrl}/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    const html = await page.text();
    const assets = [...html.matchAll(/<(?:script|link|img)\b[^>]*?\b(?:src|href)="([^"]+)"/g)].map(([, address]) => new URL(address ?? '', page.url));
    expect(assets.length).toBeGreaterThan(2);
    for (const address of assets) {
      expect(address.origin).toBe(controlPlaneUrl);
      const asset = await fetch(address);
      expect(`${address.pathname} ${asset.status}`).toBe(`${address.pathname} 200`);
      expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(0);
    }
    expect(html).not.toContain(operatorToken);
  });
});
