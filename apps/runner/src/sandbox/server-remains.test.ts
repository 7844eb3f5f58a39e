import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@portcullis/boot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ServerRemains } from './server-remains.js';
import { ServerUsers } from './server-users.js';

const RANGE = { first: 62_600, count: 3 };
const HOUR_MS = 3_600_000;
const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
let folder: string;
let users: ServerUsers;
let hosted: string[];
let now: number;
let remains: ServerRemains;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-remains-'));
  users = new ServerUsers(folder, RANGE);
  [hosted, now] = [[], 0];
  const logger = createLogger({ name: 'runner', level: 'silent' });
  remains = new ServerRemains({ users, workFolder: folder, isNeeded: (id) => hosted.includes(id), logger, now: () => now });
});
afterEach(() => rmSync(folder, { recursive: true }));

const place = (name: string): string => join(folder, name);
function leave(serverId: string, file?: string): number {
  mkdirSync(place(serverId));
  if (file !== undefined) writeFileSync(place(join(serverId, file)), 'kept');
  return users.of(serverId).uid;
}

test('a server that left without files leaves its user to others, the one that was free longest first', async () => {
  const uids = [leave(one), leave(two)];
  hosted = [two];
  await remains.tidy([]);
  expect([existsSync(place(one)), existsSync(place(two))]).toEqual([false, true]);
  expect(users.servers).toEqual([two]);
  const third = users.of(three).uid;
  expect(uids).not.toContain(third);
  expect(users.of(one).uid).toBe(uids[0]); // the last that is left
  expect(() => users.of(randomUUID())).toThrow('SERVER_UID_COUNT');
});

test('files of a server that may come back stay, and so does its user', async () => {
  const uid = leave(one, 'memory.jsonl');
  mkdirSync(place(`${one}+${'a'.repeat(64)}`));
  await remains.tidy([]);
  now += 10 * HOUR_MS;
  await remains.tidy([]);
  expect(remains.servers).toEqual([one]);
  expect(readFileSync(place(join(one, 'memory.jsonl')), 'utf8')).toBe('kept');
  expect(new ServerUsers(folder, RANGE).of(one).uid).toBe(uid);
});

test('files of a server that is no more go when that was said for an hour, and not when it came back meanwhile', async () => {
  leave(one, 'file');
  leave(two, 'file');
  await remains.tidy([one, two]);
  now += HOUR_MS / 2;
  await remains.tidy([one]);
  now += HOUR_MS / 2;
  await remains.tidy([one, two]);
  expect([existsSync(place(one)), existsSync(place(two))]).toEqual([false, true]);
  expect([users.servers, remains.servers]).toEqual([[two], [two]]);
});

test.runIf(process.getuid?.() === 0)('a user as whom something runs is not given to others before that has ended', async () => {
  const uid = leave(one);
  const running = spawn('/bin/sleep', ['60'], { uid, stdio: 'ignore' });
  await once(running, 'spawn');
  await remains.tidy([]);
  expect([remains.servers, users.servers]).toEqual([[one], [one]]);
  running.kill('SIGKILL');
  await once(running, 'exit');
  await remains.tidy([]);
  expect([remains.servers, users.servers]).toEqual([[], []]);
});

test('what was written by a runner that took nobody back is read', () => {
  writeFileSync(place('server-users.json'), JSON.stringify({ [one]: 62_601 }));
  const read = new ServerUsers(folder, RANGE);
  expect([read.of(one).uid, read.of(two).uid]).toEqual([62_601, 62_602]);
});
