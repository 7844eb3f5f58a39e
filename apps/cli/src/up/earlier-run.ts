import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CliError } from '../cli-error.js';
import { type Say, step } from '../progress.js';
import { identify, isRunning } from './process-identity.js';

const Members = z.array(z.object({ name: z.string(), pid: z.number().int().positive(), started: z.string() }));
type Member = z.infer<typeof Members>[number];

const graceMs = 15_000;

const fileIn = (dataDirectory: string): string => join(dataDirectory, 'processes.json');

/**
 * Keeps on disk which processes belong to this run, so that a next one can tell the remains of a killed run from strangers.
 * Calls may overlap; the last state wins.
 */
export function processRecord(dataDirectory: string): (pids: Readonly<Record<string, number>>) => Promise<void> {
  const file = fileIn(dataDirectory);
  let last: Promise<void> = Promise.resolve();
  const write = async (pids: Readonly<Record<string, number>>): Promise<void> => {
    const found = await Promise.all(Object.entries(pids).map(async ([name, pid]) => ({ name, ...(await identify(pid)) })));
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, JSON.stringify(found.filter(({ pid }) => pid !== undefined)), { mode: 0o600 });
    await rename(draft, file);
  };
  return (pids) => (last = last.catch(() => undefined).then(() => write(pids)));
}

/** Waits for what an earlier, killed run left running, which ends by itself; ends it by force when it does not. */
export async function clearEarlierRun(dataDirectory: string, say: Say): Promise<void> {
  const members = await readMembers(dataDirectory);
  const left = await running(members);
  if (left.length === 0) return;
  await step(say, `An earlier run was killed; waiting for its ${left.map(({ name }) => name).join(', ')} to end`, async () => {
    if (await goneWithin(left, graceMs)) return;
    for (const { pid } of await running(left)) process.kill(pid, 'SIGKILL');
    if (await goneWithin(left, graceMs)) return;
    const names = (await running(left)).map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
    throw new CliError(`${names} of an earlier run cannot be ended. End them by hand and start again.`);
  });
}

async function readMembers(dataDirectory: string): Promise<Member[]> {
  const text = await readFile(fileIn(dataDirectory), 'utf8').catch(() => '[]');
  try {
    return Members.parse(JSON.parse(text));
  } catch {
    return [];
  }
}

async function running(members: readonly Member[]): Promise<Member[]> {
  const checked = await Promise.all(members.map(async (member) => ({ member, isUp: await isRunning(member) })));
  return checked.filter(({ isUp }) => isUp).map(({ member }) => member);
}

async function goneWithin(members: readonly Member[], waitMs: number): Promise<boolean> {
  const deadline = Date.now() + waitMs;
  while ((await running(members)).length > 0) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}
