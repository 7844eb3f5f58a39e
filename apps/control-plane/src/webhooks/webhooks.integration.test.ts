import { freshRedis } from '@portcullis/testing';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { callStore } from '../testing/store-calls.js';
import { startWebhookReceiver, type WebhookReceiver } from '../testing/webhook-receiver.js';

let redis: Awaited<ReturnType<typeof freshRedis>>;
let own: TestApp;
let receiver: WebhookReceiver;

beforeAll(async () => {
  redis = await freshRedis();
  own = await startTestApp({ redisUrl: redis.url, alerts: { egressAllow: ['127.0.0.0/8'], retryMs: [20, 20], lookMs: 50 } });
  receiver = await startWebhookReceiver();
});
beforeEach(() => {
  receiver.messages.length = 0;
  receiver.statuses.length = 0;
});
afterAll(async () => {
  await own.close();
  await receiver.close();
  await redis.stop();
});

const created = async (url = receiver.url) => (await own.call('POST', '/v1/webhooks', { name: 'pager', url })).body;

/** Has an alert raised of which this webhook is told. */
async function raiseFor(webhook: string, tool: string): Promise<void> {
  const rule = await own.call('POST', '/v1/alert-rules', { name: tool, when: { kind: 'first_use', tool }, webhooks: [webhook] });
  expect(rule.status).toBe(201);
  await callStore(own.database)([{ tool, serverId: '0198c1f0-0000-7000-8000-000000000001' }]);
}
const deliveriesOf = async (id: string, query = '') => (await own.call('GET', `/v1/webhooks/${id}/deliveries${query}`)).body.items;

test('a secret is shown once, signs what is sent, and lies nowhere in the clear', async () => {
  const { secret, ...webhook } = await created();
  expect(secret).toMatch(/^whsec_/);
  const answer = await own.call('POST', `/v1/webhooks/${webhook.id}/test`);
  expect([answer.status, answer.body]).toMatchObject([200, { delivered: true, status: 204, error: null }]);
  const [message] = receiver.messages;
  expect(message?.signedBy([secret])).toEqual([secret]);
  expect(message?.headers['webhook-id']).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(Math.abs(Number(message?.headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
  expect(message?.body).toMatchObject({ type: 'webhook.test', data: { webhookId: webhook.id } });
  const { body } = await own.call('GET', `/v1/webhooks/${webhook.id}`);
  expect(body).toEqual(webhook);
  const rows = JSON.stringify([await own.database.webhook.findMany(), await own.database.webhookDelivery.findMany()]);
  const said = (await own.database.auditEvent.findMany()).map((event) => Buffer.from(event.arguments ?? []).toString());
  for (const part of [secret, secret.slice(6)]) expect(rows + said.join('')).not.toContain(part);
});

test('after a rotation both secrets sign until the time is over, or the new one alone', async () => {
  const { id, secret } = await created();
  const next = (await own.call('POST', `/v1/webhooks/${id}/rotate-secret`, { bothForSeconds: 60 })).body;
  await own.call('POST', `/v1/webhooks/${id}/test`);
  expect(receiver.messages[0]?.signedBy([secret, next.secret])).toEqual([secret, next.secret]);
  const last = (await own.call('POST', `/v1/webhooks/${id}/rotate-secret`, { bothForSeconds: 0 })).body;
  await own.call('POST', `/v1/webhooks/${id}/test`);
  expect(receiver.messages[1]?.signedBy([secret, next.secret, last.secret])).toEqual([last.secret]);
});

test.each(['http://10.0.0.1/hook', 'http://169.254.169.254/latest', 'http://user:pass@example.com/', 'ftp://example.com/'])(
  'an address that this process may not reach is refused: %s',
  async (url) => {
    const answer = await own.call('POST', '/v1/webhooks', { name: 'x', url });
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/url']);
  },
);

test('a message that is not taken is sent again, as the same message', async () => {
  const { id } = await created();
  receiver.statuses.push(500, 503);
  await raiseFor(id, 'webhook-retried');
  await vi.waitFor(() => expect(receiver.messages).toHaveLength(3), { timeout: 20_000 });
  expect(new Set(receiver.messages.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  const delivered = [{ state: 'delivered', attempts: 3, lastStatus: 204 }];
  await vi.waitFor(async () => expect(await deliveriesOf(id)).toMatchObject(delivered), { timeout: 20_000 });
});

test('a message that is never taken becomes a dead letter, and can be sent once more', async () => {
  const { id } = await created();
  receiver.statuses.push(500, 500, 500);
  await raiseFor(id, 'webhook-dead');
  await vi.waitFor(async () => expect(await deliveriesOf(id, '?state=dead')).toHaveLength(1), { timeout: 20_000 });
  const [dead] = await deliveriesOf(id, '?state=dead');
  expect(dead).toMatchObject({ attempts: 3, lastStatus: 500, nextAttemptAt: null });
  const again = await own.call('POST', `/v1/webhooks/${id}/deliveries/${dead.id}/redeliver`);
  expect([again.status, again.body.state]).toEqual([202, 'pending']);
  await vi.waitFor(async () => expect(await deliveriesOf(id)).toMatchObject([{ id: dead.id, state: 'delivered' }]), { timeout: 20_000 });
});

test('a receiver that says it is gone is told nothing more, and that is on record', async () => {
  const { id } = await created();
  receiver.statuses.push(410);
  const { body } = await own.call('POST', `/v1/webhooks/${id}/test`);
  expect(body).toMatchObject({ delivered: false, status: 410 });
  expect((await own.call('GET', `/v1/webhooks/${id}`)).body).toMatchObject({ enabled: false, disabledReason: expect.stringContaining('410') });
  expect(await own.database.auditEvent.count({ where: { method: 'operator/webhook.disabled', operator: 'portcullis/alerts' } })).toBe(1);
  expect((await own.call('PATCH', `/v1/webhooks/${id}`, { enabled: true })).body).toMatchObject({ enabled: true, disabledReason: null });
});

test('a webhook that a rule tells is not deleted, and a rule tells no webhook that is not there', async () => {
  const { id } = await created();
  const rule = { name: 'r', when: { kind: 'integrity_gap' }, webhooks: [id] };
  const { body } = await own.call('POST', '/v1/alert-rules', rule);
  expect((await own.call('DELETE', `/v1/webhooks/${id}`)).status).toBe(409);
  expect((await own.call('DELETE', `/v1/alert-rules/${body.id}`)).status).toBe(204);
  expect((await own.call('DELETE', `/v1/webhooks/${id}`)).status).toBe(204);
  const answer = await own.call('POST', '/v1/alert-rules', rule);
  expect([answer.status, answer.body.errors]).toEqual([400, [{ pointer: '/webhooks/0', detail: 'is no webhook' }]]);
});
