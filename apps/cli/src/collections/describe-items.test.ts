import { expect, test } from 'vitest';
import { describeRule, detail } from '../alerts/alert-rule-commands.js';
import { describeBudget } from '../costs/budget-commands.js';
import { describePrice } from '../costs/price-commands.js';
import { describeLimit } from '../limit/limit-commands.js';

const at = '2026-11-22T00:00:00.000Z';
const made = { id: 'id', createdBy: 'olga', createdAt: at, updatedAt: at };

test('prices, budgets and rules are each a line, in which names cannot act on the terminal', () => {
  const price = { ...made, server: 'git\u001b[2J', tool: '*', basis: 'unit', unit: '/tokens', amountMicros: '15', per: 1000 } as const;
  expect(describePrice({ ...price, currency: 'EUR', effectiveFrom: at })).toBe(`id  git[2J:*  0.000015 EUR for each 1000 of /tokens, from ${at}`);
  const budget = { ...made, name: 'Research', subject: { group: 'lab' }, amountMicros: '5000000', spentMicros: '1', warnPercents: [80] };
  expect(describeBudget({ ...budget, currency: 'EUR', month: '2026-11', action: 'block' })).toBe(
    'id  Research  (group lab): 0.000001 of 5.000000 EUR spent in 2026-11, then calls are blocked',
  );
  const rule = { ...made, name: 'New tools', enabled: true, severity: 'info' as const, webhooks: [], quietSeconds: 60 };
  expect(describeRule({ ...rule, when: { kind: 'first_use', agent: 'ci-*' } })).toBe('id  New tools: first_use agent=ci-*, info, nobody is told');
});

test('a limit says whose it is, how much it allows and what of it is used', () => {
  const limit = { ...made, reason: null, used: 10, spentUntil: at };
  expect(describeLimit({ ...limit, subject: { group: 'lab' }, terms: { kind: 'quota', calls: 10, per: 'day' } })).toBe(
    `id  group lab: 10 calls a day, 10 used, none left until ${at}`,
  );
  const ofTools = { ...limit, subject: { server: 'git', tools: ['a\u001b[2J', 'b*'] }, used: null, spentUntil: null };
  expect(describeLimit({ ...ofTools, terms: { kind: 'rate', calls: 5, perSeconds: 60 } })).toBe('id  each of git:a[2J,b*: 5 calls in 60 s');
});

test('details of a rule are read as what they look like', () => {
  const details = ['count=50', 'suspendedOnly=true', 'agent=a=b'].reduce((sum, text) => detail(text, sum), {});
  expect(details).toEqual({ count: 50, suspendedOnly: true, agent: 'a=b' });
  expect(() => detail('count', {})).toThrow('name=value');
});
