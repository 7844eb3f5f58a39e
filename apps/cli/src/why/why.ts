import type { ExplainResponse } from '@portcullis/contracts/api/policy';
import type { Narrowing } from '@portcullis/contracts/task-keys';
import type { Connection } from '../connection.js';
import { plainText } from '../plain-text.js';

export interface WhyOptions {
  readonly agent: string;
  /** Canonical: `server:tool`. */
  readonly target: string;
  readonly arguments?: Record<string, unknown> | undefined;
  /** What a key for a task is narrowed to; undefined asks about the agent's own keys. */
  readonly task?: Narrowing | undefined;
}

const exitAllow = 0;
const exitDeny = 1;

/** Prints why an agent may use a tool or not, and gives the exit code: 0 where it may (or the arguments decide), 1 where it may not. */
export async function why(options: WhyOptions, { api }: Connection, print: (text: string) => void): Promise<number> {
  const { agent, target, task } = options;
  const question = { agent, target, ...(options.arguments && { arguments: options.arguments }), ...(task && { task }) };
  const answer = await api.policy.explain(question);
  print(`${explanation(agent, target, answer)}\n`);
  return answer.effect === 'deny' ? exitDeny : exitAllow;
}

const verdicts: Readonly<Record<ExplainResponse['effect'], string>> = {
  allow: 'may use',
  deny: 'may not use',
  conditional: 'may, depending on the arguments, use',
};

/** The answer in words. */
export function explanation(agent: string, target: string, answer: ExplainResponse): string {
  const sight = answer.visible ? 'It is in its list of tools.' : 'It is not in its list of tools.';
  const steps = answer.steps.map(({ text, grantId }) => `  - ${plainText(text, 500)}${grantId === null ? '' : ` (grant ${grantId})`}`);
  const hints = answer.hints.map((hint) => `  - ${plainText(hint, 500)}`);
  return [
    `${plainText(agent)} ${verdicts[answer.effect]} ${plainText(target)}. ${sight}`,
    ...(steps.length === 0 ? [] : ['Because:', ...steps]),
    ...(hints.length === 0 ? [] : ['What would change that:', ...hints]),
    `As of revision ${answer.revision}.`,
  ].join('\n');
}
