import { expect, test } from 'vitest';
import { classifiedCall } from '../testing/classified-call.js';
import { relayNotification } from './relay-notification.js';

const call = { ...classifiedCall, progressToken: 'mine' };
const relay = (message: string): string | undefined =>
  relayNotification(message, call, { id: 'our-1', logs: 'none', onRequest: () => expect.unreachable() });

test.each([
  ['in the server’s own text', '{"progressToken":"our-1","progress":1.50}', '{"progressToken":"mine","progress":1.50}'],
  ['with spaces', '{ "progressToken" : "our-1", "progress": 1 }', '{ "progressToken" : "mine", "progress": 1 }'],
  ['whatever else says the same', '{"progressToken":"our-1","message":"our-1"}', '{"progressToken":"mine","message":"our-1"}'],
  ['wherever it stands', '{"message":"our-1","progressToken":"our-1"}', '{"message":"our-1","progressToken":"mine"}'],
])('progress goes on under the token of its caller: %s', (_how, params, expected) => {
  const around = (text: string): string => `{"jsonrpc":"2.0","method":"notifications/progress","params":${text}}`;
  expect(relay(around(params))).toBe(around(expected));
});

test('progress of another call goes nowhere', () => {
  expect(relay('{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"our-2","message":"our-1"}}')).toBeUndefined();
});
