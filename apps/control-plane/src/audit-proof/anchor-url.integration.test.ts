import { AuditAnchorHead } from '@portcullis/contracts/api/audit-proof';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { newRecordingNode, sealAll, storeEvents, verifyAfter, type RecordingNode } from '../testing/proven-trail.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { stopLoop } from '../testing/stop-loop.js';
import { startWebhookReceiver, type WebhookReceiver } from '../testing/webhook-receiver.js';
import { AuditSealer } from './audit-sealer.js';

let own: TestApp;
let anchor: WebhookReceiver;
let node: RecordingNode;
beforeAll(async () => {
  anchor = await startWebhookReceiver();
  own = await startTestApp({ auditAnchors: { url: anchor.url } });
  await stopLoop(own, AuditSealer);
  node = await newRecordingNode(own, 'node-1');
});
afterAll(async () => {
  await own.close();
  await anchor.close();
});

const told = async () => (await own.database.auditAnchor.findMany()).map(({ target, block, error }) => ({ target, block, error }));

test('an anchor that refuses a head shows, gets the newest at the next sealing, and vouches for the trail from then on', async () => {
  anchor.statuses.push(...Array.from({ length: 1000 }, () => 503));
  await storeEvents(own.database, node, [1, 20]);
  const refused = [{ target: 'url', block: 0n, error: 'The anchor answered 503' }];
  await vi.waitFor(async () => {
    await own.app.get(AuditSealer).seal(); // nothing, while a transaction runs that is older than all that is stored
    expect(await told()).toEqual(refused);
  }, 30_000);
  const { body } = await own.call('GET', '/v1/audit/integrity', undefined, own.auditor);
  expect(JSON.stringify(body.sealing)).toContain('The anchor answered 503');
  anchor.statuses.length = 0;
  const before = anchor.messages.length;
  await storeEvents(own.database, node, [21, 40]);
  await sealAll(own);
  const anchors = anchor.messages.slice(before).map((message) => AuditAnchorHead.parse(message.body));
  expect(await told()).toEqual([{ target: 'url', block: BigInt(anchors.at(-1)?.n ?? 0), error: null }]);
  expect(await verifyAfter(own, { anchors, done: [] })).toMatchObject({ verdict: 'verified', findings: [] });
  const altered = `UPDATE audit_event SET decision = 'deny' WHERE node = 'node-1' AND seq = 30`;
  expect(await verifyAfter(own, { anchors, done: [altered] })).toMatchObject({ verdict: 'failed' });
});
