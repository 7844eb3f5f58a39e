import type { Definition } from '@portcullis/contracts/api/servers';
import { plainText } from '../plain-text.js';

/** What a server offers, for a person who has to decide. Everything in it is foreign text. */
export function describeOffer(definitions: readonly Definition[]): string {
  const tools = definitions.filter(({ kind }) => kind === 'tool');
  const instructions = definitions.find(({ kind }) => kind === 'instructions');
  const others = definitions.length - tools.length - (instructions === undefined ? 0 : 1);
  const lines = tools.map(describeTool);
  if (instructions !== undefined) lines.push(describeInstructions(instructions));
  if (others > 0) lines.push(`  and ${others} ${others === 1 ? 'prompt or resource' : 'prompts and resources'}, which are not granted here`);
  return lines.length === 0 ? '  nothing' : lines.join('\n');
}

function describeInstructions({ state, offered }: Definition): string {
  const told = state === 'approved' ? '' : ', which agents are told only once somebody approves it (portcullis approve)';
  return `  and it says for all of them${told}:\n      ${plainText(asRecord(offered)['instructions'], 600)}`;
}

function describeTool({ name, state, offered }: Definition): string {
  const tool = asRecord(offered);
  const hints = hintsOf(asRecord(tool['annotations']));
  const marks = [...hints, ...(state === 'approved' ? [] : [state])].join(', ');
  const description = plainText(tool['description'], 160);
  return `  ${plainText(name, 128)}${marks === '' ? '' : ` [${marks}]`}${description === '' ? '' : `\n      ${description}`}`;
}

/** The server's own claims: shown, never relied on. */
function hintsOf(annotations: Record<string, unknown>): string[] {
  if (annotations['readOnlyHint'] === true) return ['says: read-only'];
  if (annotations['destructiveHint'] === false) return ['says: writes, not destructive'];
  return annotations['destructiveHint'] === true ? ['says: destructive'] : ['may write'];
}

const asRecord = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? { ...value } : {});
