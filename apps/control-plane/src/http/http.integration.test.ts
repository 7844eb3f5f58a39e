import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

test('an unknown route answers with a problem document', async () => {
  const answer = await own.call('GET', '/v1/nothing');
  expect(answer.status).toBe(404);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.body).toMatchObject({ type: 'urn:portcullis:problem:not_found', status: 404 });
});

test('the OpenAPI document and its page are served without a token', async () => {
  const document = await own.call('GET', '/v1/openapi.json', undefined, null);
  expect(document.status).toBe(200);
  expect(document.body.openapi).toBe('3.1.0');
  const page = await own.call('GET', '/docs', undefined, null);
  expect(page.status).toBe(200);
});
