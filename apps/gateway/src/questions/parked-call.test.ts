import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Question } from '@portcullis/mcp';
import { Cancellation } from '../cancel/cancellation.js';
import type { Reply } from '../reply/reply.js';
import { buildGateway } from '../testing/build-gateway.js';
import { classifiedCall as call } from '../testing/classified-call.js';
import type { Visit } from '../visit.js';
import { ANSWER_MS_MAX } from './ask-agent.js';
import { ParkedCall } from './parked-call.js';

const question: Question = { method: 'roots/list', params: undefined };
const place = { agentId: 'a', serverId: 's', method: 'tools/call', name: 't', argumentsJson: undefined };

function heard() {
  const messages: string[] = [];
  const finished: string[] = [];
  const reply: Reply = {
    notify: (message) => messages.push(message) > 0,
    finish: (_status, message) => void finished.push(message.join('')),
    finishSilently: () => undefined,
    onGone: () => undefined,
    onceDrained: () => undefined,
  };
  return { reply, messages, finished };
}

function park() {
  const { gateway } = buildGateway(undefined);
  const first = heard();
  const cancellation = new Cancellation();
  const stopped = vi.fn<() => void>();
  cancellation.stopsWith(stopped);
  const visit = { gateway, caller: { agent: { id: 'a' } } } as unknown as Visit;
  const parked = new ParkedCall(gateway.parkedCalls, visit, { call, reply: first.reply, cancellation, place });
  return { parked, first, stopped };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('questions that come together are asked together, under the id of the request that waits', async () => {
  const { parked, first } = park();
  const answers = Promise.all([parked.ask(question), parked.ask(question)]);
  await vi.advanceTimersByTimeAsync(1);
  const inputRequests = { q1: { method: 'roots/list' }, q2: { method: 'roots/list' } };
  expect(first.finished.map((text) => JSON.parse(text) as object)).toMatchObject([{ id: 1, result: { inputRequests } }]);
  const second = heard();
  const turn = { reply: second.reply, id: 'two', progressToken: 7, round: 1 };
  expect(parked.resume({ ...turn, responses: { q1: { roots: [] }, q2: { roots: [] } } })).toBe(true);
  expect(await answers).toEqual([{ result: { roots: [] } }, { result: { roots: [] } }]);
  expect(parked.call).toMatchObject({ id: 'two', progressToken: 7 });
  expect(parked.resume({ ...turn, responses: {} })).toBe(false);
});

test('what the server says while nobody listens is held, and it is asked to pause', async () => {
  const { parked, first } = park();
  expect(parked.reply.notify('before')).toBe(true);
  void parked.ask(question);
  await vi.advanceTimersByTimeAsync(1);
  expect(parked.reply.notify('meanwhile')).toBe(false);
  const drained = vi.fn<() => void>();
  parked.reply.onceDrained(drained);
  const second = heard();
  parked.resume({ reply: second.reply, id: 2, progressToken: undefined, round: 1, responses: { q1: { roots: [] } } });
  expect([first.messages, second.messages, drained.mock.calls.length]).toEqual([['before'], ['meanwhile'], 1]);
});

test('a call whose client does not come back is cancelled after ten minutes', async () => {
  const { parked, stopped } = park();
  void parked.ask(question);
  await vi.advanceTimersByTimeAsync(ANSWER_MS_MAX - 10);
  expect(stopped).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(20);
  expect(stopped).toHaveBeenCalledOnce();
});
