import { once } from 'node:events';
import { createFixture, fixtureModes } from './fixture/create-fixture.mjs';
import { startBearerShim } from './bearer-shim.mjs';
import { grantEverything } from '../local-stack/grant-everything.mjs';
import { runSuite } from './run-suite.mjs';
import { startUnPrefix } from './un-prefix.mjs';

export const revisions = ['2025-11-25', '2026-07-28'];
/** `server` is `/servers/<slug>/mcp`, where names are the server's own; `all` is `/mcp`, driven through the un-prefix adapter. */
export const endpoints = ['server', 'all'];

/** The eras a fixture speaks, for runs without a node in between. */
const spoken = { 'both-eras': revisions, 'modern-only': ['2026-07-28'], 'legacy-only': ['2025-11-25'] };

/** Every combination that these filters leave. */
export function chooseCells({ fixtures = fixtureModes, revisions: chosen = revisions, endpoints: where = endpoints } = {}) {
  return fixtures.flatMap((fixture) => chosen.flatMap((requirements) => where.map((endpoint) => ({ fixture, requirements, endpoint }))));
}

/** The suite against a fixture itself: what a cell could reach at most. */
export const directCells = ({ fixtures = fixtureModes, revisions: chosen = revisions } = {}) =>
  fixtures.flatMap((fixture) =>
    spoken[fixture].filter((one) => chosen.includes(one)).map((requirements) => ({ fixture, requirements, endpoint: 'direct' })),
  );

export async function startFixture(mode) {
  const server = createFixture(mode);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, stop };
}

/** Registers the fixture under its mode's name, with an agent that may use all of it. Gives the agent's key. */
export const registerFixture = (api, mode, url) => grantEverything(api, { slug: mode, url, agent: `suite-${mode}` });

/** Runs one cell through a node. */
export async function runCell({ fixture, requirements, endpoint }, { gatewayUrl, agentKey }) {
  const path = endpoint === 'server' ? `/servers/${fixture}/mcp` : '/mcp';
  const relays = [await startBearerShim(`${gatewayUrl}${path}`, agentKey)];
  try {
    if (endpoint === 'all') relays.push(await startUnPrefix(relays[0].url, `${fixture}__`));
    return await runSuite(relays.at(-1).url, requirements);
  } finally {
    await Promise.all(relays.map((relay) => relay.stop()));
  }
}
