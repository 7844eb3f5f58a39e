// The official MCP suite through a gateway node:  npm run conformance -- [options]
//   --cells both-eras,…       only these fixtures (both-eras, modern-only, legacy-only; default: all)
//   --requirements R,…        only these revisions (2025-11-25, 2026-07-28)
//   --endpoints server,all    only /servers/<slug>/mcp, or only /mcp
//   --direct                  against the fixtures themselves, without a node
//   --nodes N                 gateway nodes (default 1); requests go to the first
//   --clients none|only       without the suite's client scenarios, or only those (default: with)
//   --verbose                 every scenario that failed, scored or not, with the suite's reasons
// Exit code 0: every scored scenario passed, or failed as expected-failures.yml says.
import { parseArgs } from 'node:util';
import { startLocalStack } from '../local-stack/start-local-stack.mjs';
import { chooseCells, directCells, registerFixture, revisions, runCell, startFixture } from './cells.mjs';
import { runClientScenarios } from './client/run-client-scenarios.mjs';
import { expectedIn, readExpectedFailures } from './expected-failures.mjs';
import { judgeCell } from './judge-cell.mjs';
import { runSuite } from './run-suite.mjs';

const text = { type: 'string' };
const flag = { type: 'boolean', default: false };
const { values } = parseArgs({
  options: {
    cells: text,
    requirements: text,
    endpoints: text,
    direct: flag,
    verbose: flag,
    nodes: { type: 'string', default: '1' },
    clients: { type: 'string', default: 'with' },
  },
});
const list = (value) => (value === undefined || value === 'all' ? undefined : value.split(','));
const chosen = { fixtures: list(values.cells), revisions: list(values.requirements), endpoints: list(values.endpoints) };
const note = (line) => process.stderr.write(`${line}\n`);

const cells = values.direct ? directCells(chosen) : values.clients === 'only' ? [] : chooseCells(chosen);
const clientRevisions = values.direct || values.clients === 'none' ? [] : (chosen.revisions ?? revisions);
const entries = values.direct ? [] : await readExpectedFailures();
const rows = [];
const clientRows = [];
const started = [];
try {
  const run = values.direct ? await directly() : await throughNode();
  for (const cell of cells) rows.push(await judged(cell, await run(cell)));
  for (const revision of clientRevisions) clientRows.push({ revision, ...(await runClientScenarios(revision, started.at(-1))) });
} finally {
  for (const part of started.reverse()) await part.stop();
}
if (rows.length > 0) console.log(table(rows));
if (clientRows.length > 0) console.log(clientTable(clientRows));
const faults = [
  ...rows.flatMap(({ cell, faults: found }) => found.map((fault) => `${nameOf(cell)}: ${fault}`)),
  ...clientRows.flatMap(({ revision, faults: found }) => found.map((fault) => `${revision} · client: ${fault}`)),
];
for (const fault of faults) console.log(fault);
process.exitCode = faults.length === 0 && rows.length + clientRows.length > 0 ? 0 : 1;

async function fixtures() {
  const modes = [...new Set(cells.map(({ fixture }) => fixture))];
  const running = await Promise.all(modes.map(async (mode) => [mode, await startFixture(mode)]));
  started.push(...running.map(([, fixture]) => fixture));
  return new Map(running);
}

async function directly() {
  const running = await fixtures();
  return ({ fixture, requirements }) => runSuite(running.get(fixture).url.replace('127.0.0.1', 'localhost'), requirements);
}

async function throughNode() {
  const running = await fixtures();
  note('Starting a stack …');
  const stack = await startLocalStack({ nodes: Number(values.nodes), say: note });
  started.push(stack);
  const keys = new Map();
  for (const [mode, { url }] of running) keys.set(mode, await registerFixture(stack.api, mode, url));
  return (cell) => runCell(cell, { gatewayUrl: stack.gatewayUrls[0], agentKey: keys.get(cell.fixture) });
}

async function judged(cell, results) {
  const verdict = judgeCell({ requirements: cell.requirements, results, expected: expectedIn(entries, cell) });
  note(`${nameOf(cell)}: ${verdict.scored.passed}/${verdict.scored.total}`);
  if (values.verbose)
    for (const { name, isScored, faults: found } of results.filter(({ failed }) => failed > 0))
      note(`  ${isScored ? 'FAILS' : 'fails, not scored'} ${name}\n    ${found.join('\n    ')}`);
  return { cell, ...verdict };
}

function nameOf({ fixture, requirements, endpoint }) {
  return `${requirements} · ${endpoint} · ${fixture}`;
}

function table(found) {
  const head = ['| revision | endpoint | fixture | scored | expected to fail | not scored |', '|---|---|---|---|---|---|'];
  const share = ({ passed, total }) => `${passed}/${total}`;
  const lines = found.map(({ cell, scored, expected, unscored }) => {
    const columns = [cell.requirements, cell.endpoint, cell.fixture, share(scored), expected, share(unscored)];
    return `| ${columns.join(' | ')} |`;
  });
  return [...head, ...lines].join('\n');
}

function clientTable(found) {
  const head = ['', '| revision | client scenarios that apply | others |', '|---|---|---|'];
  return [...head, ...found.map(({ revision, passed, total, others }) => `| ${revision} | ${passed}/${total} | ${others} |`)].join('\n');
}
