import { newBearer } from '@portcullis/secrets';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operationsOf } from '../testing/arbitrary-requests.js';
import { renderOperations } from '../testing/render-operations.js';
import { markedRoutes, type MarkedRoute } from '../testing/marked-routes.js';
import { newOperatorToken, startTestApp, type TestApp } from '../testing/start-test-app.js';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { isPermitted } from './permissions.js';

const ROLES = ['admin', 'approver', 'auditor', 'viewer'] as const;

let own: TestApp;
let routes: MarkedRoute[];

beforeAll(async () => {
  own = await startTestApp();
  routes = markedRoutes(own);
});
afterAll(() => own.close());

const filled = (path: string): string => path.replaceAll(/:[a-zA-Z]+/g, '00000000-0000-7000-8000-000000000000');
const send = async (route: MarkedRoute, token: string | null) =>
  own.call(route.method, filled(route.path), ['GET', 'DELETE'].includes(route.method) ? undefined : {}, token);

/** What is open to everybody, by name: the description of the API and the page to browse it. */
const OPEN = /^\/v1\/openapi\.json$|^\/docs(?:\/|$)/;

/** The paths in Fastify's own drawing of its routes, which knows those beside controllers, too. */
function servedPaths(): string[] {
  const above: string[] = [];
  const drawing = own.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  return drawing.split('\n').flatMap((line) => {
    const [, margin = '', piece = ''] = /^([│ ]*)[├└]── (\S+) \(/u.exec(line) ?? [];
    if (piece === '') return [];
    above.length = margin.length / 4;
    above.push(piece);
    return [above.join('')];
  });
}

describe('every route', () => {
  test('is found by the walk', () => {
    const walked = new Set(routes.map(({ path }) => path));
    for (const path of [
      '/v1/agents',
      '/v1/agents/:agent/keys/:key',
      '/v1/groups/:group/members/:agent',
      '/v1/grants/:id',
      '/v1/policy/explain',
      '/v1/audit/events',
    ]) {
      expect(walked).toContain(path);
    }
  });

  test('names its door', () => {
    expect(routes.filter(({ door }) => door === undefined).map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test('is behind a door or open by name', () => {
    const walked = new Set(routes.map(({ path }) => path));
    const served = servedPaths();
    expect(served).toEqual(expect.arrayContaining([...walked]));
    expect(served.filter((path) => !walked.has(path) && !OPEN.test(path))).toEqual([]);
  });

  test('passes those roles that the checked-in table says', async () => {
    const rolesOf = (door: MarkedRoute['door']): string => {
      if (door?.kind !== 'operator') return `${door?.kind ?? 'nobody'}`;
      return `${ROLES.filter((role) => isPermitted(role, door.permission)).join(' ')} (${door.permission})`;
    };
    const rows = routes.map(({ method, path, door }) => `${path} ${method}: ${rolesOf(door)}`).sort();
    await expect(`${rows.join('\n')}\n`).toMatchFileSnapshot('route-permissions.txt');
  });

  test('takes and gives what the checked-in table says, by which the client is typed', async () => {
    const { body } = await own.call('GET', '/v1/openapi.json', undefined, null);
    const table = renderOperations(body.components.schemas, operationsOf(body));
    await expect(table).toMatchFileSnapshot('../../../../packages/api-client/src/generated/operations.ts');
  });

  test('that may change something says what it leaves in the audit trail', () => {
    const silent = routes.filter(({ method, audit }) => method !== 'GET' && audit === undefined);
    expect(silent.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test('refuses a caller with no token, with garbage and with another kind of token (401)', async () => {
    const disabled = await newOperatorToken(own.app, 'admin');
    const id = disabled.slice(3, 19);
    await own.database.operator.updateMany({ where: { tokens: { some: { id } } }, data: { enabled: false } });
    const tokens = [
      null,
      'garbage',
      newBearer('agent').token,
      newBearer('node').token,
      newBearer('runner').token,
      newBearer('operator').token,
      disabled,
    ];
    for (const route of routes.filter(({ door }) => door?.kind === 'operator')) {
      for (const token of tokens) {
        const answer = await send(route, token);
        expect([answer.status, answer.body?.type], `${route.method} ${route.path}`).toEqual([401, 'urn:portcullis:problem:unauthenticated']);
        expect(answer.headers['www-authenticate']).toContain('Bearer');
        own.app.get(FailedSignIns).forget(); // the walk is no guessing
      }
    }
  });

  test('of nodes and of runners refuses operators, and each other (401)', async () => {
    for (const route of routes.filter(({ door }) => door !== undefined && door.kind !== 'operator')) {
      own.app.get(FailedSignIns).forget();
      const others = newBearer(route.door?.kind.startsWith('runner') === true ? 'node' : 'runner').token;
      for (const token of [null, own.admin, own.auditor, others])
        expect((await send(route, token)).status, `${route.method} ${route.path}`).toBe(401);
    }
  });

  test('lets roles pass by its permission alone: an auditor reads and writes nothing', async () => {
    for (const route of routes) {
      if (route.door?.kind !== 'operator') continue;
      const { permission } = route.door;
      expect(isPermitted('admin', permission)).toBe(true);
      expect(isPermitted('auditor', permission)).toBe(permission.endsWith(':read'));
      if (route.method !== 'GET' && !['/v1/policy/explain', '/v1/policy/preview'].includes(route.path))
        expect(permission, `${route.method} ${route.path}`).toMatch(/:(write|decide|replay|approve)$/);
      const answer = await send(route, own.auditor);
      if (isPermitted('auditor', permission)) expect(answer.status, `${route.method} ${route.path}`).not.toBe(403);
      else expect([answer.status, answer.body?.type], `${route.method} ${route.path}`).toEqual([403, 'urn:portcullis:problem:forbidden']);
    }
  });

  test('lets an approver decide and a viewer ask, and neither write anything else', async () => {
    const [approver, viewer] = await Promise.all([newOperatorToken(own.app, 'approver'), newOperatorToken(own.app, 'viewer')]);
    for (const route of routes) {
      if (route.door?.kind !== 'operator') continue;
      const { permission } = route.door;
      if (permission.endsWith(':write') && permission !== 'access-requests:write' && permission !== 'task-keys:write') {
        for (const token of [approver, viewer]) expect((await send(route, token)).status, `${route.method} ${route.path}`).toBe(403);
      }
      if (permission === 'profiles:approve')
        for (const token of [approver, viewer]) expect((await send(route, token)).status, `${route.method} ${route.path}`).toBe(403);
      if (permission === 'access-requests:decide') expect((await send(route, viewer)).status, `${route.method} ${route.path}`).toBe(403);
      if (permission.startsWith('access-requests:')) expect((await send(route, approver)).status, `${route.method} ${route.path}`).not.toBe(403);
    }
  });

  test('with an unknown id answers an administrator with a problem or an answer, never with a fault of ours', async () => {
    for (const route of routes.filter(({ door }) => door?.kind === 'operator')) {
      const answer = await send(route, own.admin);
      expect(answer.status, `${route.method} ${route.path}: ${answer.text}`).toBeLessThan(500);
      if (answer.status >= 400) expect(answer.headers['content-type']).toContain('application/problem+json');
    }
  });

  test('of operators is in the OpenAPI document with its security', async () => {
    const { body } = await own.call('GET', '/v1/openapi.json', undefined, null);
    for (const { method, path } of routes.filter(({ door }) => door?.kind === 'operator')) {
      const operation = body.paths[path.replaceAll(/:([a-zA-Z]+)/g, '{$1}')]?.[method.toLowerCase()];
      expect(operation, `${method} ${path}`).toBeDefined();
      expect(operation.security).toEqual([{ operator: [] }]);
    }
  });
});
