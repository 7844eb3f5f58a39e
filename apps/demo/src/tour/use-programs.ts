import { join } from 'node:path';
import { askAs, namesIn, type AgentAnswer } from './agent-request.js';
import { agentAt, serversOf } from './demo-agents.js';
import { check, step } from './narrate.js';
import type { Stack } from './stack.js';
import { until } from './until.js';

const slug = 'notes-agent';
const foundWithinMs = 60_000;

/** Waits until discovery has seen the programs: nobody waits for that when the stack starts. */
export async function awaitPrograms(stack: Stack): Promise<void> {
  const list = () => askAs(agentAt(stack, slug), 'tools/list', {}, true);
  const sees = (answer: AgentAnswer): boolean => serversOf[slug].every((server) => namesIn(answer).some((name) => name.startsWith(`${server}__`)));
  await until(list, sees, foundWithinMs);
}

/** Calls servers that speak over stdio: a file in the folder that they were given, one outside of it, and something to remember. */
export async function usePrograms(stack: Stack): Promise<void> {
  step(
    'Programs behind a runner',
    'Two servers are programs that speak over stdio. A runner starts them when they are called; to agents they are servers.',
  );
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
