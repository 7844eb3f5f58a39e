import { chmodSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkExecutable } from './check-executable.js';

let folder = '';
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-exec-')));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('A117: a program and a script that names its interpreter are started', async () => {
  await expect(checkExecutable(realpathSync(process.execPath))).resolves.toBeUndefined();
  await expect(checkExecutable(file('good', '#!/bin/sh\nexit 0\n'))).resolves.toBeUndefined();
});

test.each<[string, () => string, RegExp]>([
  ['a name without a path', () => 'sh', /no absolute path/],
  ['a path from where somebody stands', () => './node', /no absolute path/],
  ['what is not there', () => join(folder, 'nowhere'), /does not exist/],
  ['words for a shell', () => '/bin/true; touch /tmp/x', /does not exist/],
  ['backticks', () => '/bin/`true`', /does not exist/],
  ['a second line', () => '/bin/true\n/bin/false', /does not exist/],
  ['a folder', () => folder, /is no file/],
  ['a file that may not be executed', () => file('plain', '#!/bin/sh\n', 0o644), /is no file|may not be executed/],
  ['a file that others may change', () => file('open', '#!/bin/sh\n', 0o777), /can be changed by others/],
  ['a script without an interpreter', () => file('bare', 'echo hello\n'), /neither a program nor a script/],
  ['a script with a relative interpreter', () => file('relative', '#!sh\n'), /neither a program nor a script/],
  ['a script whose interpreter is gone', () => file('gone', '#!/nowhere/sh\n'), /which is not there/],
])('A117: %s is not started', async (_, path, reason) => {
  await expect(checkExecutable(path())).rejects.toThrow(reason);
});

test('A117: what the server itself could change is not started', async () => {
  const own = { uid: statSync(folder).uid, gid: 0 };
  await expect(checkExecutable(file('own', '#!/bin/sh\n'), own)).rejects.toThrow(/belongs to the server itself/);
  await expect(checkExecutable(file('own', '#!/bin/sh\n'), { uid: 61_000, gid: 61_000 })).resolves.toBeUndefined();
});

test('A117: a link is not started, whatever it leads to', async () => {
  const link = join(folder, 'link');
  symlinkSync(realpathSync(process.execPath), link);
  await expect(checkExecutable(link)).rejects.toThrow(/is a link; the program is \//);
});
