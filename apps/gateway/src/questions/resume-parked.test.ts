import { expect, test } from 'vitest';
import type { InternalExchange } from '../nodes/internal-exchange.js';
import type { InternalHandler } from '../nodes/internal-server.js';
import type { NodeLinks } from '../nodes/node-links.js';
import type { Reply } from '../reply/reply.js';
import { classifiedCall as call } from '../testing/classified-call.js';
import type { Visit } from '../visit.js';
import { ParkedCalls, type Held } from './parked-calls.js';
import { resumeParked, serveParkedCalls } from './resume-parked.js';

const held: Held = { agentId: 'a', resume: () => true, giveUp: () => undefined };
const [here, there] = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];

/** Goes on with a call by way of this node, beside another one that is reached at `there`. */
function resume(parked: { node: string; name: string }, calls: { readonly here: ParkedCalls; readonly there: ParkedCalls }): Promise<void> {
  const routes = new Map<string, InternalHandler>();
  const other = { url: there, route: (name: string, handler: InternalHandler) => void routes.set(name, handler) } as unknown as NodeLinks;
  serveParkedCalls(other, calls.there);
  const nodes: NodeLinks = {
    url: here,
    route: () => undefined,
    send: async (_node, name, body) => routes.get(name)?.(body, {} as InternalExchange),
  };
  const visit = { gateway: { nodes, parkedCalls: calls.here }, caller: { agent: { id: 'a' } } } as unknown as Visit;
  const reply: Reply = {
    notify: () => true,
    finish: () => undefined,
    finishSilently: () => undefined,
    onGone: () => undefined,
    onceDrained: () => undefined,
  };
  const content = { kind: 'parked' as const, round: 1, ...parked };
  return resumeParked(call, { content, responses: undefined }, { visit, reply });
}

test.each([
  ['that it comes to', here],
  ['that it is carried to', there],
])('a call that the node %s held before it was started again is lost, and its retry says so', async (_which, node) => {
  const name = new ParkedCalls().add(held) ?? '';
  await expect(resume({ node, name }, { here: new ParkedCalls(), there: new ParkedCalls() })).rejects.toMatchObject({ code: 'node.call_lost' });
});

test.each([here, there])('a call that is over, on a node that was not started again, is an invalid state (%s)', async (node) => {
  const calls = { here: new ParkedCalls(), there: new ParkedCalls() };
  const holding = node === here ? calls.here : calls.there;
  const name = holding.add(held) ?? '';
  holding.remove(name, held);
  await expect(resume({ node, name }, calls)).rejects.toMatchObject({ code: 'client.invalid_state' });
});
