import type { Answer, TestApp } from './start-test-app.js';

/** Sends a policy file, as the administrator or with `token`. */
export async function importFile({ app, admin }: TestApp, file: string, query = '', token = admin): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/yaml' };
  const answer = await app.inject({ method: 'POST', url: `/v1/policy/import${query}`, headers, payload: file });
  return { status: answer.statusCode, headers: answer.headers, text: answer.payload, body: answer.json() };
}
