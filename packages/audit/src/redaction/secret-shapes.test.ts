import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleSecrets } from '../testing/sample-secrets.js';
import { isSecretName } from './secret-names.js';
import { mayHoldSecret, secretsIn } from './secret-shapes.js';

test.each(sampleSecrets.map((sample, number) => ({ ...sample, number })))(
  '$kind is known for a secret wherever it stands ($number)',
  ({ kind, secret, text = secret }) => {
    for (const around of [
      ['', ''],
      ['see ', ' there'],
      ['( ', ' )'],
      ['"', '"'],
      ['line\n', '\nline'],
    ] as const) {
      const whole = around.join(text);
      expect(mayHoldSecret(whole)).toBe(true);
      const found = secretsIn(whole);
      expect(found.map((one) => [one.kind, whole.slice(one.start, one.end)])).toEqual([[kind, secret]]);
    }
  },
);

test.each([
  'a word about passwords, tokens and secrets is none',
  'the secret garden; basic understanding of bearer bonds',
  'https://example.com/users/@me?tab=all#top and mailto:a@example.com',
  'git clone ssh://git@example.com/repo.git at 12:30@noon',
  'eyJvZmZzZXQiOjEwMDAwfQ==',
  'task-management-for-a-very-large-team-of-people',
  'pageToken=CAUQAA&next_token=CAUQAB',
  'snake_case_names_of_any_length_are_fine and so-are-kebab-case-ones-of-any-length',
  '0189b5f0-0000-7000-8000-000000000000 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
])('what only looks a little like a secret is left alone: %s', (text) => {
  expect(secretsIn(text)).toEqual([]);
});

test('fields are known by their names however they are written, and tokens of pages are not', () => {
  for (const name of ['password', 'DB_PASSWORD', 'userPasswd', 'client-secret', 'X-Api-Key', 'aws_secret_access_key', 'accessToken', 'token'])
    expect([name, isSecretName(name)]).toEqual([name, true]);
  for (const name of ['Authorization', 'Set-Cookie', 'privateKey', 'passphrase', 'credentials', 'connectionString', 'pass', 'pwd'])
    expect([name, isSecretName(name)]).toEqual([name, true]);
  for (const name of [
    'nextPageToken',
    'progressToken',
    'NextToken',
    'max_tokens',
    'tokens',
    'key',
    'passenger',
    'bypass',
    'secretary',
    'keyboard',
    '',
  ])
    expect([name, isSecretName(name)]).toEqual([name, false]);
});

test('a run that begins like a token and is none hides nothing behind it', () => {
  const [{ secret }] = sampleSecrets.filter(({ kind }) => kind === 'github-token') as [(typeof sampleSecrets)[number]];
  const text = `eyJvZmZzZXQiOjEwMDAwfQ-${secret}`;
  expect(secretsIn(text).map(({ start, end }) => text.slice(start, end))).toEqual([secret]);
});

test('what is passed over at one look holds no secret: also a text that is made of their beginnings', () => {
  const pieces = ['sk-', 'eyJ', 'gw_', 'AKIA', 'pwd=', 'token', ':', '"', ' ', '://', '@', 'bearer ', 'a', 'A9', '_', '-', '.', '/'];
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(''));
  const isMissed = (text: string, cut: boolean) => !mayHoldSecret(text) && secretsIn(text, cut).length > 0;
  const passes = fc.property(texts, fc.boolean(), (text, cut) => !isMissed(text, cut));
  expect(fc.check(passes, { numRuns: 2000 }).counterexample).toBeNull();
});

/** What was looked for before words were: one pattern, tried at each character. */
const TRACE = new RegExp(
  [
    String.raw`\\[u/]|eyJ|A(?:KIA|SIA|Iza)|gh[oprsu]_|github_pat|gl(?:pat|ptt|[dr]t|cbt|agent|soat|ft|imt|oas)-|xox|xapp-|hooks\.slack|GOCSPX|ya29|[sr]k[-_]|npm_`,
    String.raw`pypi-|hf_|do[opr]_v1|(?:gw|op|node|join|task|whsec)_|-----BEGIN|://[^"/\s]{0,1300}(?:@|$)|bearer|basic\s|pass|pwd|secret|token|authorization|cookie`,
    String.raw`credential|connection.?string|(?:api|app|shared|signing|private|encryption|account|master|session|access).?key|[?&](?:sig|key)=`,
  ].join('|'),
  'i',
);

test('a text is looked at further exactly where it has a trace of a secret, whole or in place', () => {
  const words = String.raw`sk- eyJ GW_ AKIA pwd Token : " :// @ bearer basic \u glpat- connection String api key ? & sig = a 9 _ - . / é 日 access shared`;
  const pieces = [...words.split(' '), ' ', '\n'];
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, (text) => {
      if (!/^[\w-]{0,12}$/.test(text)) expect([text, mayHoldSecret(text)]).toEqual([text, TRACE.test(text)]);
    }),
    { numRuns: 3000 },
  );
  expect(mayHoldSecret('https://someone:word@example.com')).toBe(true);
});
