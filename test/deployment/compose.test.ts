import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly volumes?: readonly string[];
}

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service>; volumes: Record<string, null> };
const services = Object.entries(compose.services);
const ours = services.filter(([, { command }]) => command?.[0] === 'node');

test('every process of ours runs an entry file that the build makes', () => {
  expect(ours.map(([name]) => name)).toEqual(['control-plane', 'discovery', 'audit-worker', 'runner-1', 'gateway-1', 'gateway-2', 'gateway-3']);
  for (const [, { command }] of ours) {
    const source = command?.[1]?.replace('/dist/', '/src/').replace(/\.js$/, '.ts') ?? '';
    expect(existsSync(fileURLToPath(new URL(source, root))), source).toBe(true);
  }
});

test('every variable that a container sets is one that its process reads', () => {
  for (const [name, { command, environment = {} }] of ours) {
    const config = read(`${command?.[1]?.split('/dist/')[0] ?? ''}/src/config.ts`);
    for (const variable of Object.keys(environment)) {
      const key = variable.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      expect(config, `${name} sets ${variable}`).toMatch(new RegExp(`\\b${key}\\b`));
    }
  }
});

test('every service is checked for health, and what it waits for exists', () => {
  for (const [name, { healthcheck, depends_on = {} }] of services) {
    if (name !== 'migrate') expect(healthcheck?.test.length, name).toBeGreaterThan(0);
    for (const dependency of Object.keys(depends_on)) expect(compose.services).toHaveProperty(dependency);
  }
});

test('each gateway node keeps its spool in a volume of its own, and nginx knows them all', () => {
  const nodes = services.filter(([name]) => name.startsWith('gateway-'));
  const mounts = nodes.map(([, { volumes = [] }]) => volumes[0]?.split(':')[0] ?? '');
  expect(new Set(mounts).size).toBe(nodes.length);
  for (const mount of mounts) expect(compose.volumes).toHaveProperty(mount);
  const upstreams = [...read('deploy/nginx.conf').matchAll(/server (\S+):8080;/g)].map(([, name]) => name);
  expect(upstreams).toEqual(nodes.map(([name]) => name));
});

test('no secret has a default', () => {
  const text = read('docker-compose.yml');
  for (const name of ['PORTCULLIS_MASTER_KEY', 'PORTCULLIS_JOIN_TOKEN', 'PORTCULLIS_RUNNER_JOIN_TOKEN', 'POSTGRES_PASSWORD', 'REDIS_PASSWORD']) {
    const uses = [...text.matchAll(new RegExp(`\\$\\{${name}(:?[-?][^}]*)?\\}`, 'g'))];
    expect(uses.length).toBeGreaterThan(0);
    for (const [use] of uses) expect(use).toMatch(/:\?/);
  }
});

test('Redis never evicts, and keeps its data', () => {
  const command = compose.services['redis']?.command?.join(' ') ?? '';
  expect(command).toContain('--maxmemory-policy noeviction');
  expect(command).toContain('--appendonly yes');
});

test('the image copies every workspace before it installs', () => {
  const dockerfile = read('deploy/Dockerfile');
  for (const [, { build }] of services) if (build) expect(dockerfile).toMatch(new RegExp(` AS ${build.target}\\b`));
  for (const app of ['audit-worker', 'cli', 'control-plane', 'demo', 'gateway', 'runner'])
    expect(dockerfile).toContain(`COPY apps/${app}/package.json`);
});
