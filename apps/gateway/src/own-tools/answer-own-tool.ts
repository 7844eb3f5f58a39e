import { DurationText, REQUEST_REASON_CHARS_MAX } from '@portcullis/contracts/api/access-requests';
import { Id, OWN_TOOLS } from '@portcullis/contracts/names';
import type { NodeAccessAnswer, OwnAccessRequest } from '@portcullis/contracts/node';
import { isJsonObject, ownMember, resultMessage, toolErrorResult, toolResult, type JsonObject } from '@portcullis/mcp';
import type { Step } from '../step.js';
import type { VisibleTarget } from '../view/agent-view.js';
import { ownServer } from '../view/own-server.js';

/** Whether a call is about the gateway itself. */
export const isOwnTool = ({ server }: VisibleTarget): boolean => server === ownServer;

/** What the tool says: something to read on, or why not. */
type Said = { readonly content: JsonObject; readonly text: string } | { readonly refusal: string };

/** Runs one of the gateway's own tools; on record like every call. */
export async function answerOwnTool({ definition }: VisibleTarget, step: Step): Promise<void> {
  const { call, visit, reply, record } = step;
  const given = call.params && ownMember(call.params, 'arguments');
  const args = isJsonObject(given) ? given : {};
  await record.intent();
  const said = unknownMember(definition, args) ?? (definition.name === OWN_TOOLS.request ? await request(args, step) : await look(args, step));
  const about = { era: call.era, serverInfo: visit.gateway.serverInfo };
  const result = 'refusal' in said ? toolErrorResult(said.refusal, about) : toolResult(said.content, said.text, about);
  const status = 'refusal' in said ? 'tool_error' : 'success';
  await record.end({ status, reason: undefined, result });
  reply.finish(200, [resultMessage(call.id, result)]);
  visit.gateway.metrics.ended(call.method, status);
}

/** Whoever misspells how long access is wanted must not be taken to ask for the usual time. */
function unknownMember({ name }: { readonly name: string }, args: JsonObject): Said | undefined {
  const known = name === OWN_TOOLS.request ? ['tool', 'reason', 'duration'] : ['id'];
  return Object.keys(args).every((member) => known.includes(member)) ? undefined : { refusal: `Give no other arguments than ${known.join(', ')}.` };
}

const TOOL_CHARS_MAX = 2200;
const DURATION_DEFAULT = '8h';
/** One text for whatever may not be asked for, whether it exists or not. */
const NOT_REQUESTABLE = 'Access to this cannot be requested.';

const REFUSALS: Readonly<Record<Exclude<NodeAccessAnswer['outcome'], 'filed'>, string>> = {
  refused: NOT_REQUESTABLE,
  too_many_open: 'As many of your requests wait for a decision as may wait. Look them up, and ask again when one is decided.',
  too_often: 'You have asked too often within an hour. Ask again later.',
};

async function request(args: JsonObject, { visit, record }: Step): Promise<Said> {
  const [tool, reason, duration = DURATION_DEFAULT] = ['tool', 'reason', 'duration'].map((member) => ownMember(args, member));
  if (typeof tool !== 'string' || tool === '') return { refusal: 'Give tool as server:tool.' };
  const why = typeof reason === 'string' ? onOneLine(reason) : '';
  if (why === '') return { refusal: 'Give a reason.' };
  const seconds = DurationText.safeParse(duration);
  if (!seconds.success) return { refusal: 'Give duration as a number and m, h or d, from 1m to 30d: 8h, for example.' };
  // No name has such characters, so nobody need be asked.
  if (tool.length > TOOL_CHARS_MAX || !tool.isWellFormed() || /\p{Cc}/u.test(tool)) return { refusal: NOT_REQUESTABLE };
  const asked = { agentId: visit.caller.agent.id, tool, reason: why, durationSeconds: seconds.data, callId: record.callId };
  const answer = await visit.gateway.accessAsker.file(asked, visit.now);
  if (answer.outcome !== 'filed') return { refusal: REFUSALS[answer.outcome] };
  return {
    content: { request: answer.request },
    text: `Request ${answer.request.id} is ${answer.request.status}. A person decides; look it up by this id.`,
  };
}

async function look(args: JsonObject, { visit }: Step): Promise<Said> {
  const id = ownMember(args, 'id');
  const unknown: Said = { refusal: 'You have no request of this id.' };
  const parsed = Id.optional().safeParse(id);
  if (!parsed.success) return unknown;
  const lookup = { agentId: visit.caller.agent.id, ...(parsed.data === undefined ? {} : { id: parsed.data }) };
  const { requests } = await visit.gateway.accessAsker.find(lookup, visit.now);
  if (requests.length === 0 && id !== undefined) return unknown;
  return { content: { requests }, text: requests.length === 0 ? 'You have made no requests.' : requests.map(inWords).join('\n') };
}

function inWords({ id, tools, status, decisionReason, accessUntil }: OwnAccessRequest): string {
  const until = accessUntil === null ? '' : ` until ${accessUntil}`;
  return `${id}: ${tools.join(', ')} is ${status}${until}${decisionReason === null ? '' : ` (${decisionReason})`}`;
}

const onOneLine = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, REQUEST_REASON_CHARS_MAX)
    .toWellFormed();
