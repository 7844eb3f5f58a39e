import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { npmCommand } from './npm-command.js';

const wanted = { kind: 'npm', name: '@scope/server', version: '1.2.3' } as const;
let place = '';
let folder = '';
beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-npm-')));
  folder = join(place, 'node_modules', '@scope', 'server');
  mkdirSync(join(folder, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'dist', 'index.js'), '');
  writeFileSync(join(place, 'outside.js'), '');
});
afterEach(() => rmSync(place, { recursive: true }));

function manifest(members: object): void {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: '@scope/server', version: '1.2.3', ...members }));
}

test.each([
  ['its only command', { any: 'dist/index.js' }, undefined],
  ['a command without a name', './dist/index.js', undefined],
  ['the one called as it is', { server: 'dist/index.js', other: 'dist/other.js' }, undefined],
  ['the one that the profile names', { server: 'dist/other.js', second: 'dist/index.js' }, 'second'],
])('a package is started by %s', async (_, bin, command) => {
  manifest({ bin });
  const { command: started } = await npmCommand(place, { ...wanted, ...(command !== undefined && { command }) });
  expect(started).toEqual([process.execPath, join(folder, 'dist', 'index.js')]);
});

test('A121: what a package says of itself adds no argument, no variable, no user and no folder', async () => {
  manifest({
    bin: { server: 'dist/index.js' },
    mcp: { args: ['--evil'], env: { A: 'b' }, user: 'root' },
    config: { port: 1 },
    scripts: { start: 'evil' },
  });
  writeFileSync(join(folder, 'dist', 'index.js'), '#!/usr/bin/env -S node --require ./evil.js\n');
  expect((await npmCommand(place, wanted)).command).toEqual([process.execPath, join(folder, 'dist', 'index.js')]);
});

test.each([
  ['lies outside of it', { server: '../../../outside.js' }],
  ['is absolute', { server: '/bin/sh' }],
  ['is not there', { server: 'dist/gone.js' }],
  ['is no text', { server: 7 }],
])('A121: a command that %s is not started', async (_, bin) => {
  manifest({ bin });
  await expect(npmCommand(place, wanted)).rejects.toThrow(/is none of its files|has no command/);
});

test('A121: a command that is a link out of the package is not started', async () => {
  manifest({ bin: { server: 'dist/link.js' } });
  symlinkSync(join(place, 'outside.js'), join(folder, 'dist', 'link.js'));
  await expect(npmCommand(place, wanted)).rejects.toThrow(/is none of its files/);
});

test('A120: another version than the one that was approved is not started', async () => {
  manifest({ version: '1.2.4', bin: 'dist/index.js' });
  await expect(npmCommand(place, wanted)).rejects.toThrow(/is not @scope\/server 1\.2\.3/);
});
