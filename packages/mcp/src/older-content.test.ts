import { expect, test } from 'vitest';
import { contentFor } from './older-content.js';

const text = { type: 'text', text: 'hi' };
const audio = { type: 'audio', mimeType: 'audio/wav', data: 'AAAA' };
const link = { type: 'resource_link', uri: 'file:///a', name: 'a', description: 'A file' };
const asText = { audio: { type: 'text', text: '[audio/wav, which this client cannot play]' }, link: { type: 'text', text: 'a\nfile:///a\nA file' } };

test.each([
  ['2024-11-05', [text, asText.audio, asText.link]],
  ['2025-03-26', [text, audio, asText.link]],
  ['2025-06-18', [text, audio, link]],
  ['2025-11-25', [text, audio, link]],
])('a client of %s gets text for content that it would refuse the whole result for', (version, content) => {
  expect(contentFor(version, { content: [text, audio, link], isError: false })).toEqual({ content, isError: false });
});

test('messages of prompts are adapted as well', () => {
  const messages = [{ role: 'user', content: link }];
  expect(contentFor('2024-11-05', { messages })).toEqual({ messages: [{ role: 'user', content: asText.link }] });
});

test.each([{ content: [text] }, { messages: [{ role: 'user', content: text }] }, { contents: [] }, { content: 'odd' }, { content: [null, 3] }])(
  'what needs nothing stays the same object: %j',
  (result) => {
    expect(contentFor('2024-11-05', result as never)).toBe(result);
  },
);
