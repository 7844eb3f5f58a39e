import { expect, test } from 'vitest';
import { CredentialConfig } from './credentials.js';

const named = (name: string, value = 'v') => CredentialConfig.safeParse({ kind: 'headers', headers: [{ name, value }] });

test.each(['Authorization', 'X-Api-Key', 'api-key', 'Cookie'])('a server may be called with %s', (name) => {
  expect(named(name).success).toBe(true);
});

test.each(
  (
    'Host content-length Content-Type Connection TRANSFER-ENCODING Upgrade te Trailer Keep-Alive Proxy-Authorization Mcp-Session-Id mcp-param-x ' +
    'Accept Expect Origin Sec-Fetch-Mode X-Forwarded-For Forwarded traceparent baggage Last-Event-ID'
  ).split(' '),
)('no credential sets %s: it says what a request is, or where it goes', (name) => {
  expect(named(name).success).toBe(false);
});

test.each(['a b', 'a:b', '', 'ä', 'a\r\nb'])('%j is no name of a header', (name) => {
  expect(named(name).success).toBe(false);
});

test.each(['a\r\nx: y', 'a\nb', 'a\0b', ' a', 'a ', '', 'ä'])('%j is no value of a header, and no fault repeats a value', (value) => {
  const refused = named('authorization', value);
  expect(refused.success).toBe(false);
  if (value.trim().length > 1) expect(JSON.stringify(refused.error)).not.toContain(value);
});

test('a header is named once, whatever its case', () => {
  const headers = ['X-Key', 'x-key'].map((name) => ({ name, value: 'v' }));
  expect(CredentialConfig.safeParse({ kind: 'headers', headers }).success).toBe(false);
});

test('a placeholder stays the text that it is', () => {
  const parsed = CredentialConfig.parse({ kind: 'headers', headers: [{ name: 'authorization', value: 'Bearer ${HOME} {{secret}} $(id)' }] });
  expect(parsed).toMatchObject({ headers: [{ value: 'Bearer ${HOME} {{secret}} $(id)' }] });
});
