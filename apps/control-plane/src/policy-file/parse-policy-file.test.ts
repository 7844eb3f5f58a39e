import { expect, test } from 'vitest';
import { ProblemError } from '../http/problem.js';
import { parsePolicyFile } from './parse-policy-file.js';

async function faultsOf(text: string): Promise<string[]> {
  try {
    await parsePolicyFile(text);
  } catch (error) {
    if (error instanceof ProblemError) return error.faults.map(({ pointer, detail }) => `${pointer}: ${detail}`);
    throw error;
  }
  return [];
}

test.each([
  ['version: 1\nagents:\n  a: { colour: red }\n', '/agents/a/colour: is unknown (line 3, column 16)'],
  ['version: 1\nusers: {}\n', '/users: is unknown (line 2, column 8)'],
  ['version: 2\n', '/version: Invalid input: expected 1 (line 1, column 10)'],
  ['version: 1\nagents:\n  No Slug: {}\n', '/agents/No Slug: Invalid key in record (line 3, column 12)'],
  ['version: 1\nagents:\n  a: {}\n  a: {}\n', ': a is given twice (line 4, column 3)'],
  ['version: 1\nagents: &x\n  a: {}\ngroups: *x\n', ': aliases are not allowed (line 4, column 9)'],
  ['version: 1\nsettings: !!js/function "x"\n', ': Unresolved tag: tag:yaml.org,2002:js/function (line 2, column 11)'],
  ['version: 1\nsettings: !evil x\n', ': Unresolved tag: !evil (line 2, column 11)'],
  ['version: 1\nagents:\n  __proto__: {}\n', ': __proto__ is not allowed (line 3, column 3)'],
  [
    'version: 1\ngrants:\n  - { agent: a, server: s, names: [x], effect: maybe }\n',
    '/grants/0/effect: Invalid option: expected one of "allow"|"deny" (line 3, column 48)',
  ],
  ['version: 1\ngrants:\n  - { server: s, names: [x] }\n', '/grants/0/agent: name either an agent or a group (line 3, column 5)'],
  ['version: [1\n', ': Flow sequence in block collection must be sufficiently indented and end with a ] (line 2, column 1)'],
  ['--- \nversion: 1\n---\nversion: 1\n', ': Source contains multiple documents; please use YAML.parseAllDocuments() (line 3, column 1)'],
  ['', ': Invalid input: expected object, received null (line 1, column 1)'],
  ['version: 1\nagents:\n  a: { owner: "x\\0y" }\n', '/agents/a/owner: contains the character U+0000'],
])('a file that is no policy is refused with line and column: %j', async (text, fault) => {
  expect((await faultsOf(text))[0]).toBe(fault);
});

const many = (count: number): string => `version: 1\nagents:\n${Array.from({ length: count }, (_, at) => `  a${at}: {}\n`).join('')}`;

test('while a long file is read, others are answered, and what is wrong with it is told all the same', async () => {
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  const faults = await faultsOf(`${many(4_000)}  bad: { colour: red }\n`);
  clearInterval(counting);
  expect(faults).toEqual(['/agents/bad/colour: is unknown (line 4003, column 18)']);
  expect(turns).toBeGreaterThan(2);
  expect((await faultsOf(`version: ${'['.repeat(40_000)}`))[0]).toContain('is nested too deep');
  expect((await faultsOf(`version: ${'['.repeat(400)}${']'.repeat(400)} # ${'x'.repeat(40_000)}`))[0]).toContain('is nested too deep');
});

test('aliases that multiply and nesting without end are refused at once', async () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...Array.from({ length: 9 }, (_, at) => `${'bcdefghij'[at]}: &${'bcdefghij'[at]} [${Array(10).fill(`*${'abcdefghi'[at]}`).join()}]`),
  ];
  expect((await faultsOf(bomb.join('\n')))[0]).toContain('aliases are not allowed');
  expect((await faultsOf(`version: ${'['.repeat(20_000)}`))[0]).toContain('is nested too deep');
  expect(await faultsOf(many(5000))).toEqual([]);
});
