import { isJsonObject, ownMember, type JsonObject } from './json-value.js';

/** What a server may ask in the middle of a call. */
export type QuestionMethod = 'elicitation/create' | 'sampling/createMessage' | 'roots/list';

/** A question of a server to the client whose call it serves. */
export interface Question {
  readonly method: QuestionMethod;
  readonly params: JsonObject | undefined;
}

/** The questions of an `input_required` result by their keys, and the server's own state where it gave one. */
export interface InputRequired {
  readonly questions: ReadonlyMap<string, Question>;
  readonly state: string | undefined;
}

/** Most questions one result may ask. */
export const QUESTIONS_MAX = 32;

const METHODS: ReadonlySet<string> = new Set<QuestionMethod>(['elicitation/create', 'sampling/createMessage', 'roots/list']);

/** A message's question; undefined for a method that no server may ask with. */
export function readQuestion(message: unknown): Question | undefined {
  if (!isJsonObject(message)) return undefined;
  const method = ownMember(message, 'method');
  if (typeof method !== 'string' || !METHODS.has(method)) return undefined;
  const params = ownMember(message, 'params');
  if (params === undefined ? method !== 'roots/list' : !isJsonObject(params)) return undefined;
  return { method: method as QuestionMethod, params: isJsonObject(params) ? params : undefined };
}

/** Takes an `input_required` result apart (MCP 2026-07-28 §Multi round-trip requests); undefined when it asks nothing that may be asked. */
export function readInputRequired(result: JsonObject): InputRequired | undefined {
  const requests = ownMember(result, 'inputRequests') ?? {};
  const state = ownMember(result, 'requestState');
  if (!isJsonObject(requests) || (state !== undefined && typeof state !== 'string')) return undefined;
  const questions = new Map<string, Question>();
  for (const [key, request] of Object.entries(requests)) {
    const question = readQuestion(request);
    if (question === undefined || questions.size === QUESTIONS_MAX) return undefined;
    questions.set(key, question);
  }
  return questions.size === 0 && state === undefined ? undefined : { questions, state };
}

/**
 * What of a client's capabilities lets servers ask it something, in one form for equal declarations: all other members stay at this hop. The older
 * `elicitation: {}` means forms.
 */
export function askableCapabilities(declared: JsonObject | undefined): JsonObject {
  const members: Record<string, JsonObject> = {};
  const modes = declared && ownMember(declared, 'elicitation');
  if (isJsonObject(modes)) members['elicitation'] = only(modes, ['form', 'url']);
  const sampling = declared && ownMember(declared, 'sampling');
  if (isJsonObject(sampling)) members['sampling'] = only(sampling, ['context', 'tools']);
  if (declared !== undefined && isJsonObject(ownMember(declared, 'roots'))) members['roots'] = {};
  return members;
}

function only(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.filter((key) => isJsonObject(ownMember(object, key))).map((key) => [key, {}]));
}

/** The capabilities a question needs, as `requiredCapabilities` of -32021 names them. */
export function capabilitiesFor({ method, params }: Question): JsonObject {
  switch (method) {
    case 'elicitation/create':
      return { elicitation: isUrlMode(params) ? { url: {} } : {} };
    case 'sampling/createMessage':
      return { sampling: params !== undefined && (Object.hasOwn(params, 'tools') || Object.hasOwn(params, 'toolChoice')) ? { tools: {} } : {} };
    case 'roots/list':
      return { roots: {} };
  }
}

/** Whether a client that declared this can be asked this. */
export function canBeAsked(capabilities: JsonObject, question: Question): boolean {
  return Object.entries(capabilitiesFor(question)).every(([name, needed]) => {
    const declared = ownMember(capabilities, name);
    if (!isJsonObject(declared) || !isJsonObject(needed)) return false;
    // Whoever names no mode takes forms; whoever names only the other one does not.
    if (name === 'elicitation' && Object.keys(needed).length === 0) return Object.hasOwn(declared, 'form') || !Object.hasOwn(declared, 'url');
    return Object.keys(needed).every((key) => Object.hasOwn(declared, key));
  });
}

/** The address a question sends its reader to; undefined where it sends nobody anywhere. */
export function questionUrl({ method, params }: Question): string | undefined {
  if (method !== 'elicitation/create' || !isUrlMode(params)) return undefined;
  const url = params && ownMember(params, 'url');
  return typeof url === 'string' ? url : '';
}

/** The questions of the legacy error -32042, which tells a client to visit addresses and call again; undefined when it names none. */
export function urlElicitationsOf(data: unknown): readonly Question[] | undefined {
  const list = isJsonObject(data) ? ownMember(data, 'elicitations') : undefined;
  if (!Array.isArray(list) || list.length === 0 || list.length > QUESTIONS_MAX) return undefined;
  const questions = list.flatMap((params: unknown): Question[] => (isJsonObject(params) ? [{ method: 'elicitation/create', params }] : []));
  return questions.length === list.length && questions.every(({ params }) => isUrlMode(params)) ? questions : undefined;
}

function isUrlMode(params: JsonObject | undefined): boolean {
  return params !== undefined && ownMember(params, 'mode') === 'url';
}
