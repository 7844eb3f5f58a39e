import { join } from 'node:path';
import { DiscoveryReport, Server } from '@portcullis/contracts/api/servers';
import { askAs, type AgentAnswer } from './agent-request.js';
import { agentAt, serversOf } from './demo-agents.js';
import { check, step } from './narrate.js';
import { ask } from './operator-request.js';
import type { Stack } from './stack.js';
import { until } from './until.js';

const slug = 'notes-agent';
const foundWithinMs = 30_000;

/** Waits until discovery has seen the programs, which nobody waits for when the stack starts. Says why, where a runner cannot start them here. */
export async function whyNoPrograms(stack: Stack): Promise<string | undefined> {
  for (const server of serversOf[slug]) {
    const read = () => ask(stack, { method: 'GET', path: `/v1/servers/${server}`, answer: Server, quiet: true });
    let { discovery } = await until(read, (seen) => seen.discovery.status !== 'never', foundWithinMs);
    if (discovery.status !== 'ok') {
      const path = `/v1/servers/${server}/discovery?waitSeconds=10`;
      ({ discovery } = (await ask(stack, { method: 'POST', path, answer: DiscoveryReport, quiet: true })).server);
    }
    if (discovery.status !== 'ok')
      return `${server}: ${discovery.error ?? 'no runner has started it'} Its own words: portcullis runner log ${server}`;
  }
  return undefined;
}

const about = 'Two servers are programs that speak over stdio. A runner starts them when they are called; to agents they are servers.';

/**
 * Calls servers that speak over stdio: a file in the folder that they were given, one outside of it, and something to remember. Says so where they do
 * not run, and why not.
 */
export async function usePrograms(stack: Stack, whyNot: string | undefined): Promise<void> {
  step('Programs behind a runner', whyNot === undefined ? about : `${about}\nThey do not run on this machine. ${whyNot}`);
  if (whyNot !== undefined) return;
  const call = (name: string, args: object): Promise<AgentAnswer> => askAs(agentAt(stack, slug), 'tools/call', { name, arguments: args });
  const path = join(stack.dataDirectory, 'demo-files', 'note.txt');
  const content = 'The tour was here.';
  await call('files__write_file', { path, content });
  check(holds(await call('files__read_text_file', { path }), content), 'what it wrote into the folder of the server can be read again');
  const outside = await call('files__read_text_file', { path: '/etc/hostname' });
  check(outside.message.result?.isError === true, 'a file outside of that folder cannot');
  const entities = [{ name: 'tour', entityType: 'walk', observations: [content] }];
  await call('memory__create_entities', { entities });
  check(holds(await call('memory__open_nodes', { names: ['tour'] }), content), 'the other server remembers what it was told');
}

const holds = ({ message: { result }, raw }: AgentAnswer, text: string): boolean =>
  result !== undefined && result.isError !== true && raw.includes(text);
