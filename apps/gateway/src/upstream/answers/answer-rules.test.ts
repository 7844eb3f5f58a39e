import type { NewAuditEvent } from '@portcullis/contracts/audit';
import type { AnswerRulesEntry } from '@portcullis/contracts/answer-rules';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startAttackStage, type AttackStage } from '../../testing/attack-stage.js';
import { aSnapshot } from '../../testing/build-gateway.js';
import { mcpRequest } from '../../testing/mcp-message.js';
import type { Scripted } from '../../testing/scripted-server.js';

type Rule = AnswerRulesEntry['rules'][number];

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.events.length = 0;
});

const token = `ghp_${'a1B2'.repeat(9)}`;
const everywhere = { names: ['*'] };
const redact: Rule = { ...everywhere, action: 'redact', secrets: true, texts: ['ACME-*'], paths: ['/structuredContent/ssn'] };
const block: Rule = { ...everywhere, action: 'block', secrets: true };
const log: Rule = { ...everywhere, action: 'log', texts: ['acme-*'] };

function rules(all: Rule[], bytesMax?: number): void {
  const servers = stage.policy.servers.map((server) => ({ ...server, answerRules: { rules: all, ...(bytesMax !== undefined && { bytesMax }) } }));
  stage.live.snapshot = aSnapshot({ ...stage.policy, servers });
}

/** Answers with this, as JSON or, behind these messages, as the last event of a stream. */
function answering(answer: object, before?: (params: Record<string, unknown>) => object[]): void {
  stage.upstream.answer = ({ json, message, response }: Scripted) => {
    const whole = { jsonrpc: '2.0', id: message.id, ...answer };
    if (before === undefined) return json(whole);
    const messages = [...before(message.params ?? {}), whole];
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(messages.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''));
  };
}
const leaking = {
  resultType: 'complete',
  content: [{ type: 'text', text: `key ${token} of acme-7741` }],
  structuredContent: { password: 'hunter2', ssn: 123_456_789, fine: 1 },
};

type Era = 'legacy' | 'modern';
async function ask(era: Era, method = 'tools/call', params: Record<string, unknown> = { name: 'm__run' }) {
  const { headers = {}, body = '' } = mcpRequest(method, { era, params: { ...params, _meta: { progressToken: 'p' } } });
  const answer = await fetch(`http://127.0.0.1:${String(stage.port)}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${stage.policy.agents[0].token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(headers as Record<string, string>),
    },
    body: String(body),
  });
  const text = await answer.text();
  const messages = text.startsWith('{') ? [text] : [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => data);
  return { text, messages, last: JSON.parse(messages.at(-1) ?? '{}') as { result?: typeof leaking & { isError?: boolean }; error?: unknown } };
}
const outcome = (): NewAuditEvent => stage.events.find(({ phase }) => phase === 'outcome') ?? expect.fail('no outcome');
const kept = (): string => Buffer.from(outcome().resultSummary ?? '', 'base64').toString();

describe.each(['legacy', 'modern'] as const)('A82: of what a server answers (%s)', (era) => {
  test.each(['JSON', 'a stream'])('a rule replaces what it finds, in content and structured content, and the trail says so (%s)', async (how) => {
    rules([redact]);
    answering({ result: leaking }, how === 'JSON' ? undefined : () => []);
    const { text, last } = await ask(era);
    expect(last.result?.structuredContent).toEqual({ password: '[redacted:field]', ssn: '[redacted:path]', fine: 1 });
    expect(last.result?.content).toEqual([{ type: 'text', text: 'key [redacted:github-token] of [redacted:text]' }]);
    expect(text).not.toMatch(/ghp_|hunter2|123456789|acme/i);
    expect(outcome()).toMatchObject({ status: 'success', reason: 'answer_redacted:field,github-token,path,text', resultCapture: 'redacted' });
    expect(outcome().resultHash).toMatch(/^hmac:test:/);
    expect(kept()).toContain('[redacted:text]');
    expect(JSON.stringify(stage.events) + kept()).not.toMatch(/ghp_|hunter2|acme-/i);
  });

  test('a rule that blocks lets nothing of it pass, neither to the agent nor into the trail, where its digest is', async () => {
    rules([redact, block]);
    answering({ result: leaking });
    const { text, last } = await ask(era);
    expect(last.result).toMatchObject({ isError: true, content: [{ type: 'text', text: 'The answer was withheld by a rule' }] });
    expect(text).not.toContain('fine');
    expect(outcome()).toMatchObject({ status: 'denied', decision: 'allow', reason: 'answer_blocked:field,github-token', resultCapture: 'redacted' });
    expect(outcome().resultBytes).toBe(JSON.stringify(leaking).length);
    const first = outcome().resultHash;
    stage.events.length = 0;
    await ask(era);
    expect(outcome().resultHash).toBe(first);
    expect(kept()).not.toMatch(/ghp_|fine/);
  });

  test('what is said before it is looked at as well, and after something was blocked nothing more passes', async () => {
    const progress = (message: string) => (params: Record<string, unknown>) => {
      const { progressToken } = params['_meta'] as Record<string, unknown>;
      return ['before', message].map((said, at) => ({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken, progress: at, message: said },
      }));
    };
    const fine = { resultType: 'complete', content: [{ type: 'text', text: 'fine' }] };
    rules([redact]);
    answering({ result: fine }, progress(`with ${token}`));
    const redacted = await ask(era);
    expect(redacted.messages).toHaveLength(3);
    expect(redacted.messages[1]).toContain('with [redacted:github-token]');
    expect(redacted.last.result?.content).toEqual(fine.content);
    expect(outcome()).toMatchObject({ status: 'success', reason: 'answer_redacted:github-token' });
    stage.events.length = 0;
    rules([block]);
    const blocked = await ask(era);
    expect(blocked.messages.map((message) => /before|fine|withheld|ghp/.exec(message)?.[0])).toEqual(['before', 'withheld']);
    expect(outcome()).toMatchObject({ status: 'denied', reason: 'answer_blocked:github-token' });
  });

  test('errors are answers too, and other targets than tools are refused with an error', async () => {
    rules([redact]);
    answering({ error: { code: -32_001, message: `no ${token}`, data: { at: 'ACME-1' } } });
    expect((await ask(era)).last.error).toEqual({ code: -32_001, message: 'no [redacted:github-token]', data: { at: '[redacted:text]' } });
    rules([block]);
    answering({ result: { resultType: 'complete', messages: [{ role: 'user', content: { type: 'text', text: token } }] } });
    stage.events.length = 0;
    const { last } = await ask(era, 'prompts/get', { name: 'm__greet' });
    expect(last.error).toEqual({ code: -32_603, message: 'The answer was withheld by a rule' });
    expect(outcome()).toMatchObject({ status: 'denied', reason: 'answer_blocked:github-token' });
  });

  test('a rule that only logs changes nothing but the trail; what and whom no rule names is not looked at', async () => {
    rules([log, { ...block, names: ['walk'] }]);
    answering({ result: leaking });
    expect((await ask(era)).last.result).toMatchObject({ content: leaking.content, structuredContent: leaking.structuredContent });
    expect(outcome()).toMatchObject({ status: 'success', reason: 'answer_noted:text' });
    rules([
      { ...block, names: ['walk'] },
      { ...block, agents: ['bob', 'c*'] },
    ]);
    stage.events.length = 0;
    expect((await ask(era)).last.result).toMatchObject({ content: leaking.content });
    expect(outcome()).toMatchObject({ status: 'success', reason: 'granted' });
    rules([{ ...block, agents: ['bob', 'al*'] }]);
    expect((await ask(era)).last.result).toMatchObject({ isError: true });
  });

  test('a large answer is held until it was looked through; one that is larger than rules take is refused, or passes unseen where they only log', async () => {
    const text = `${'word '.repeat(60_000)}${token}`;
    const large = { resultType: 'complete', content: [{ type: 'text', text }] };
    answering({ result: large });
    rules([redact]);
    expect((await ask(era)).last.result?.content[0]?.text).toBe(text.replace(token, '[redacted:github-token]'));
    stage.events.length = 0;
    rules([{ ...log, secrets: true }], 65_536);
    expect((await ask(era)).last.result?.content[0]?.text).toBe(text);
    expect(outcome()).toMatchObject({ status: 'success', reason: 'answer_noted:unseen' });
    rules([log, redact], 65_536);
    stage.events.length = 0;
    const { text: refused, last } = await ask(era);
    expect(last.error).toMatchObject({ code: -32_603, data: { reason: 'too_large' } });
    expect(refused.length).toBeLessThan(1000);
    expect(outcome()).toMatchObject({ status: 'upstream_error', reason: 'upstream.too_large' });
  });
});
