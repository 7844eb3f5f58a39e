import { setTimeout as pause } from 'node:timers/promises';
import { callShapes } from '../call-shapes.mjs';
import { Failure, LoadConnection } from '../load-connection.mjs';

const LIMIT_MS = 20_000;
const PROBE_GAP_MS = 1;

/**
 * Takes a grant away again and again. For each node: the time from the REST answer to the start of the first call that is refused (0 where it was refused
 * before the answer came), with a call at every millisecond or as soon as the one before is answered. Gives milliseconds, by node.
 */
export async function measureRevocations({ stack, token, agent, server, count }) {
  const probes = stack.gatewayUrls.map((url) => new Probe(url, token));
  const latencies = probes.map(() => []);
  const running = probes.map((probe) => probe.run());
  for (let round = 0; round < count; round += 1) {
    const { value: grant } = await stack.api.grants.create({ agent, server, names: ['*'] }, { wait: 'all' });
    await all(probes, (probe) => probe.isAllowed);
    await pause(Math.random() * 30);
    await stack.api.grants.delete(grant.id);
    const answeredAt = performance.now();
    await all(probes, (probe) => !probe.isAllowed);
    probes.forEach((probe, at) => latencies[at].push(Math.max(0, probe.refusedFrom - answeredAt)));
  }
  for (const probe of probes) probe.stop();
  await Promise.all(running);
  return latencies;
}

class Probe {
  isAllowed = false;
  /** When the first call of those refused since was sent. */
  refusedFrom = 0;
  #isRunning = true;
  #connection;

  constructor(url, token) {
    this.#connection = new LoadConnection({ url: new URL(`${url}/mcp`), token, shape: callShapes.modern });
  }

  async run() {
    while (this.#isRunning) {
      const sentAt = performance.now();
      const isAllowed = await this.#connection
        .request('tools/call', { name: 'fake__echo', arguments: { token: 'probe', size: 10 } }, 'fake__echo')
        .then(
          () => true,
          (error) => {
            if (!(error instanceof Failure) || !error.message.startsWith('JSON-RPC error -32602')) throw error;
            return false;
          },
        );
      if (this.isAllowed && !isAllowed) this.refusedFrom = sentAt;
      this.isAllowed = isAllowed;
      await pause(PROBE_GAP_MS);
    }
    this.#connection.close();
  }

  stop() {
    this.#isRunning = false;
  }
}

async function all(probes, holds) {
  const end = performance.now() + LIMIT_MS;
  while (!probes.every(holds)) {
    if (performance.now() > end) throw new Error('A change did not reach every node in time');
    await pause(PROBE_GAP_MS);
  }
}
