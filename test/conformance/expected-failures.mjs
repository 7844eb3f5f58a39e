import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

const FILE = new URL('expected-failures.yml', import.meta.url);

/** Every entry of the file as `{ scenario, requirements, fixtures, endpoints, reason }`; the two lists may be absent, which means all. */
export async function readExpectedFailures() {
  const entries = parse(await readFile(FILE, 'utf8')) ?? [];
  const incomplete = entries.find(({ scenario, requirements, reason }) => !scenario || !requirements || !reason);
  if (incomplete) throw new Error(`expected-failures.yml: an entry needs scenario, requirements and reason: ${JSON.stringify(incomplete)}`);
  return entries;
}

const covers = (listed, one) => listed === undefined || listed.includes(one);

/** The names of scenarios that may fail in this cell. */
export const expectedIn = (entries, { requirements, fixture, endpoint }) =>
  entries
    .filter((entry) => String(entry.requirements) === requirements && covers(entry.fixtures, fixture) && covers(entry.endpoints, endpoint))
    .map(({ scenario }) => scenario);
