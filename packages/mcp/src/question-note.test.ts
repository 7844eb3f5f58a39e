import { describe, expect, test } from 'vitest';
import { noteOf } from './question-note.js';

const form = (properties: object, message = 'Please fill in') => ({
  method: 'elicitation/create' as const,
  params: { message, requestedSchema: { type: 'object', properties } } as never,
});
const visit = (url: string) => ({ method: 'elicitation/create' as const, params: { mode: 'url', message: 'Sign in', url } });

describe('a form that seems to ask for a secret is noted', () => {
  test.each([
    [form({ password: { type: 'string' } })],
    [form({ userPassword: { type: 'string' } })],
    [form({ API_KEY: { type: 'string' } })],
    [form({ 'access-token': { type: 'string' } })],
    [form({ value: { type: 'string', title: 'Your Passphrase' } })],
    [form({ value: { type: 'string', description: 'The client secret of your app' } })],
    [form({ value: { type: 'string', format: 'password' } })],
    [form({ value: { type: 'string' } }, 'Enter the one-time code that you were sent')],
    [form({ creditCardNumber: { type: 'string' } })],
  ])('%j', (question) => expect(noteOf(question)).toBe('asks_secret'));
});

describe('what asks for none is not', () => {
  test.each([
    [form({ name: { type: 'string' }, email: { type: 'string', format: 'email' } })],
    [form({ maxTokens: { type: 'integer' }, keyboard: { type: 'string' }, passenger: { type: 'string' } })],
    [form({})],
    [{ method: 'elicitation/create' as const, params: undefined }],
    [{ method: 'elicitation/create' as const, params: { requestedSchema: [], message: 7 } as never }],
    [{ method: 'roots/list' as const, params: undefined }],
    [{ method: 'sampling/createMessage' as const, params: { messages: ['the password'] } as never }],
    [visit('https://server.example/password')],
  ])('%j', (question) => expect(noteOf(question)).toBeUndefined());
});

test('an address with letters beyond ASCII in its host is noted, however it is spelled', () => {
  expect(noteOf(visit('https://аpple.example/'))).toBe('odd_address'); // a Cyrillic a
  expect(noteOf(visit('https://XN--PPLE-43D.example/'))).toBe('odd_address');
  expect(noteOf(visit('https://apple.example/xn--pple-43d'))).toBeUndefined();
});
