import { describe, expect, test } from 'vitest';
import {
  askableCapabilities,
  canBeAsked,
  capabilitiesFor,
  questionUrl,
  readInputRequired,
  readQuestion,
  urlElicitationsOf,
} from './input-required.js';

const form = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object' } } } as const;
const url = { method: 'elicitation/create', params: { mode: 'url', url: 'https://a.example/x', message: 'Go' } } as const;
const sampling = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } } as const;
const withTools = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1, tools: [] } } as const;
const roots = { method: 'roots/list', params: undefined } as const;

test('only the three questions of the protocol are questions', () => {
  expect(readQuestion({ method: 'roots/list' })).toEqual(roots);
  expect(readQuestion(form)).toEqual(form);
  for (const none of [{ method: 'tools/call', params: {} }, { method: 'elicitation/create' }, { method: 'roots/list', params: [] }, null, 'x'])
    expect(readQuestion(none)).toBeUndefined();
});

test('a result that asks names its questions and its state, and one that asks anything else asks nothing', () => {
  const read = readInputRequired({ resultType: 'input_required', inputRequests: { a: form, b: roots }, requestState: 's' });
  expect([...(read?.questions ?? [])]).toEqual([
    ['a', form],
    ['b', roots],
  ]);
  expect(read?.state).toBe('s');
  expect(readInputRequired({ requestState: 's' })?.questions.size).toBe(0);
  for (const none of [{}, { inputRequests: [] }, { inputRequests: { a: { method: 'ping' } } }, { inputRequests: { a: form }, requestState: 1 }])
    expect(readInputRequired(none)).toBeUndefined();
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [String(at), roots]));
  expect(readInputRequired({ inputRequests: many })).toBeUndefined();
});

test('of a client’s capabilities only what can be asked passes, equal declarations as equal bytes', () => {
  const declared = {
    roots: { listChanged: true },
    experimental: { x: {} },
    sampling: { tools: {} },
    elicitation: { url: {}, form: { applyDefaults: true } },
  };
  expect(JSON.stringify(askableCapabilities(declared))).toBe('{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}');
  expect(askableCapabilities({ elicitation: true, sampling: [] })).toEqual({});
  expect(askableCapabilities(undefined)).toEqual({});
});

describe('a client is asked only what it said it can be asked', () => {
  test.each([
    [{}, { form: false, url: false, sampling: false, withTools: false, roots: false }],
    [{ elicitation: {} }, { form: true, url: false, sampling: false, withTools: false, roots: false }],
    [{ elicitation: { url: {} } }, { form: false, url: true, sampling: false, withTools: false, roots: false }],
    [
      { elicitation: { form: {}, url: {} }, sampling: {} },
      { form: true, url: true, sampling: true, withTools: false, roots: false },
    ],
    [
      { sampling: { tools: {} }, roots: {} },
      { form: false, url: false, sampling: true, withTools: true, roots: true },
    ],
  ])('%j', (capabilities, expected) => {
    const asked = { form, url, sampling, withTools, roots };
    expect(Object.fromEntries(Object.entries(asked).map(([name, question]) => [name, canBeAsked(capabilities, question)]))).toEqual(expected);
  });
});

test('what a question needs is said as the protocol says it', () => {
  expect([form, url, sampling, withTools, roots].map(capabilitiesFor)).toEqual([
    { elicitation: {} },
    { elicitation: { url: {} } },
    { sampling: {} },
    { sampling: { tools: {} } },
    { roots: {} },
  ]);
  expect([form, url, roots].map(questionUrl)).toEqual([undefined, 'https://a.example/x', undefined]);
});

test('the legacy error that sends to addresses is read as questions', () => {
  expect(urlElicitationsOf({ elicitations: [url.params] })).toEqual([url]);
  for (const none of [undefined, {}, { elicitations: [] }, { elicitations: [{ mode: 'form' }] }, { elicitations: [url.params, 1] }])
    expect(urlElicitationsOf(none)).toBeUndefined();
});
