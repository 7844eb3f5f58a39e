import type { Connection } from '../connection.js';
import { plainText } from '../plain-text.js';

/** Prints everything the agent may use now, a line each: kind, name, what decides, grant. */
export async function access(agent: string, { api }: Connection, print: (text: string) => void): Promise<void> {
  let count = 0;
  for await (const { kind, ref, grantId, group, condition } of api.agents.access(agent).each()) {
    const through = group === null ? '' : ` of ${group}`;
    print(`${kind.padEnd(9)} ${plainText(ref, 300)}${condition === null ? '' : ` where ${plainText(condition, 300)}`}  grant ${grantId}${through}\n`);
    count += 1;
  }
  if (count === 0) print(`${agent} may use nothing.\n`);
  const { hints } = await api.agents.access(agent).page({ limit: 1 });
  for (const hint of hints) print(`${plainText(hint, 500)}\n`);
}
