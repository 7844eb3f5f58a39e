import { expect, test } from 'vitest';
import type { WebhookDelivery } from '@portcullis/contracts/api/webhooks';
import { conditionDetails, detailsHint } from './alert-rule-commands.js';
import { describeDelivery } from './delivery-commands.js';

const id = '01a2069c-bed7-77de-a365-dcad15a286d2';
const dead: WebhookDelivery = {
  id,
  webhookId: id,
  messageId: 'msg_1',
  type: 'alert.first_use',
  alertId: null,
  state: 'dead',
  attempts: 8,
  createdAt: '2026-11-23T04:14:25.495Z',
  nextAttemptAt: null,
  deliveredAt: null,
  lastStatus: 503,
  lastError: 'HTTP 503 \u001b[2J',
};

test('a dead letter says how often it was sent and why it was given up, in words that cannot act on the terminal', () => {
  expect(describeDelivery(dead)).toBe(`2026-11-23 04:14:25  alert.first_use      dead     , sent 8 times, HTTP 503 [2J  ${id}`);
  const waiting = describeDelivery({ ...dead, state: 'pending', attempts: 1, nextAttemptAt: '2026-11-23T04:15:30.770Z' });
  expect(waiting).toContain('sent 1 time, next at 2026-11-23 04:15:30');
  expect(describeDelivery({ ...dead, state: 'delivered' })).not.toContain('503');
});

test('the details that each kind of rule takes are told, with whoever mistypes one', () => {
  expect(conditionDetails().find(({ kind }) => kind === 'denial_burst')?.details).toEqual(['count', 'withinMinutes', 'per', 'agent', 'server']);
  expect(detailsHint('drift')).toBe('drift takes suspendedOnly, server');
});
