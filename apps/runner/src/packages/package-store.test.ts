import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PackageStore, type PackageTools } from './package-store.js';

/** Does what npm does as far as it shows: notes how it was called, and puts a package where it was told to. */
const NPM = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
const name = args.at(-1).slice(0, args.at(-1).lastIndexOf('@'));
const version = args.at(-1).slice(name.length + 1);
appendFileSync(__dirname + '/calls', JSON.stringify({ args, environment: Object.keys(process.env).sort() }) + '\\n');
const folder = args[args.indexOf('--prefix') + 1] + '/node_modules/' + name;
mkdirSync(folder, { recursive: true });
if (version === '9.9.9') { console.error('GET https://me:canary-4711@packages.example/ 404 no such version'); process.exit(1); }
writeFileSync(folder + '/index.js', '');
writeFileSync(folder + '/package.json', JSON.stringify({ name, version, bin: 'index.js' }));
`;
const wanted = { kind: 'npm', name: '@scope/server', version: '1.2.3' } as const;
let folder = '';
let store: PackageStore;
let tools: PackageTools;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-packages-')));
  const npm = join(folder, 'npm.js');
  writeFileSync(npm, NPM);
  tools = { npm, uv: undefined, environment: { HOME: folder } };
  store = new PackageStore(join(folder, 'packages'), tools);
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Call {
  readonly args: readonly string[];
  readonly environment: readonly string[];
}
const calls = (): Call[] =>
  readFileSync(join(folder, 'calls'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Call);

test('a version is installed once, however many ask for it, and not again by a later run', async () => {
  expect(store.isInstalled(wanted)).toBe(false);
  const [one, two] = await Promise.all([store.resolve(wanted), store.resolve(wanted)]);
  expect(one).toEqual(two);
  expect(one.command).toEqual([
    process.execPath,
    join(folder, 'packages', 'npm+@scope+server@1.2.3', 'node_modules', '@scope', 'server', 'index.js'),
  ]);
  expect(await new PackageStore(join(folder, 'packages'), tools).resolve(wanted)).toEqual(one);
  expect(calls()).toHaveLength(1);
});

test('what a package wants to run at its installation is not run, and npm sees nothing of the runner', async () => {
  await store.resolve(wanted);
  const [call] = calls();
  expect(call?.args).toEqual(expect.arrayContaining(['install', '--ignore-scripts', '--allow-git=none', '@scope/server@1.2.3']));
  expect(call?.environment).toEqual(['HOME']);
});

test('an installation that fails leaves nothing that might be taken for a package', async () => {
  await expect(store.resolve({ ...wanted, version: '9.9.9' })).rejects.toThrow(
    'could not be installed: GET https://packages.example/ 404 no such version',
  );
  expect(readdirSync(join(folder, 'packages'))).toEqual([]);
});

test('where there is no tool for it, that is said', async () => {
  const without = new PackageStore(join(folder, 'packages'), { npm: undefined, uv: undefined, environment: {} });
  await expect(without.resolve(wanted)).rejects.toThrow('This runner has no npm');
  await expect(without.resolve({ kind: 'uv', name: 'server', version: '1.0' })).rejects.toThrow('This runner has no uv');
});

test('a Python package is started by the command that uv has put into its folder, and by none that leads out of it', async () => {
  const uv = join(folder, 'uv.js');
  writeFileSync(
    uv,
    `const { mkdirSync, symlinkSync, writeFileSync } = require('node:fs');
     const { UV_TOOL_BIN_DIR: bin, UV_TOOL_DIR: tools } = process.env;
     mkdirSync(tools + '/server', { recursive: true });
     writeFileSync(tools + '/server/run', process.argv.slice(2).join(' '));
     symlinkSync(tools + '/server/run', bin + '/server');
     symlinkSync('/bin/sh', bin + '/evil');`,
  );
  const python = new PackageStore(join(folder, 'packages'), { ...tools, uv });
  const { command } = await python.resolve({ kind: 'uv', name: 'server', version: '1.0' });
  expect(readFileSync(command[0] ?? '', 'utf8')).toBe('tool install --no-config --no-build server==1.0');
  await expect(python.resolve({ kind: 'uv', name: 'server', version: '1.0', command: 'evil' })).rejects.toThrow(/has no command evil/);
  expect(existsSync(join(folder, 'packages', 'uv+server@1.0'))).toBe(true);
});
