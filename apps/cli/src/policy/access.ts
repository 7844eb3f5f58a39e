import type { Connection } from '../connection.js';
import { plainText } from '../plain-text.js';

/** Prints everything the agent may use now, a line each: kind, name, what decides, grant. */
export async function access(agent: string, { api }: Connection, print: (text: string) => void): Promise<void> {
  let count = 0;
  for await (const { kind, ref, effect, grantId } of api.agents.access(agent).each()) {
    print(`${kind.padEnd(9)} ${plainText(ref, 300)}${effect === 'conditional' ? ' (the arguments decide)' : ''}  grant ${grantId}\n`);
    count += 1;
  }
  if (count === 0) print(`${agent} may use nothing.\n`);
  const { hints } = await api.agents.access(agent).page({ limit: 1 });
  for (const hint of hints) print(`${plainText(hint, 500)}\n`);
}
