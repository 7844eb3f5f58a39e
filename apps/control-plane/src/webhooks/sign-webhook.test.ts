import { expect, test } from 'vitest';
import { WebhookSecret } from '@portcullis/contracts/api/webhooks';
import { newWebhookSecret, signWebhook } from './sign-webhook.js';

test('a message is signed as the example of Standard Webhooks is', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: new Date(1_614_265_330_000), body: '{"test": 2432232314}' };
  expect(signWebhook(message, ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('a secret that was made is one that would be taken', () => {
  expect(WebhookSecret.safeParse(newWebhookSecret()).success).toBe(true);
  expect(WebhookSecret.safeParse('whsec_c2hvcnQ=').success).toBe(false);
});
