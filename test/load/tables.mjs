const number = (value, digits = 1) => {
  if (value === undefined || !Number.isFinite(value)) return '–';
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(digits);
};

function median(values) {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const of = (row, read) => median(row.runs.map(read));
const failures = (row) => row.runs.reduce((sum, run) => sum + run.failed, 0);
const nodeCpu = (run) => run.cpuUs.node;
const restCpu = (run) => run.cpuUs.rest;
const rate = (run) => run.callsPerSecond;
const percentile99 = (row) => of(row, (run) => run.p99Ms);

/** Ratios are taken within a round, whose runs lie close together, and then the median of those is shown. */
const ratio = (row, base, read) => base && median(row.runs.map((run, round) => read(run) / read(base.runs[round])));
const added = (row, base, read) => base && median(row.runs.map((run, round) => read(run) - read(base.runs[round])));

function table(title, head, rows) {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [`### ${title}`, '', ...lines, ''].join('\n');
}

export function callTable(rows) {
  const head = [
    'connections',
    'target',
    'calls/s',
    'p50 ms',
    'added p50',
    'p99 ms',
    'CPU µs/call',
    '÷ raw node',
    'rest of the stack µs/call',
    'failed',
  ];
  const cells = rows.map((row) => {
    const among = (name) => rows.find(({ target, connections }) => target === name && connections === row.connections);
    return [
      row.connections,
      row.target,
      number(of(row, rate), 0),
      ...delays(row, among),
      number(of(row, nodeCpu)),
      row.target === 'direct' ? '–' : number(ratio(row, among('raw node'), nodeCpu), 2),
      number(of(row, restCpu)),
      failures(row),
    ];
  });
  return table('Calls with answers of 100 bytes', head, cells);
}

/** Each row has one part less than the one above it, so that the difference to the row above is what that part costs. */
export function partsTable(rows) {
  const raw = rows.at(-1);
  const instructions = (run) => run.instructions / 1000;
  const cellsOf = (row, read) => [number(of(row, read), 0), number(ratio(row, raw, read), 2)];
  const saved = (row, index, read) => number(index === 0 ? undefined : -added(row, rows[index - 1], read), 0);
  const head = ['what is left', 'CPU µs/call', '÷ raw node', 'saved', 'K instructions/call', '÷ raw node', 'saved', 'failed'];
  const cells = rows.map((row, index) => [
    row.target,
    ...[nodeCpu, instructions].flatMap((read) => [...cellsOf(row, read), saved(row, index, read)]),
    failures(row),
  ]);
  return table('A node with its parts taken away, one after the other, 64 connections; CPU of that process alone', head, cells);
}

export function largeTable(title, rows) {
  const raw = rows.find(({ target }) => target === 'raw node');
  const head = ['target', 'calls/s', '÷ raw node', 'CPU ms/call', 'CPU ÷ raw node', 'memory MiB', 'failed'];
  const cells = rows.map((row) => [
    row.target,
    number(of(row, rate), 0),
    number(ratio(row, raw, rate), 2),
    number(of(row, nodeCpu) / 1000, 2),
    number(ratio(row, raw, nodeCpu), 2),
    number(
      of(row, (run) => run.memoryMiB.node),
      0,
    ),
    failures(row),
  ]);
  return table(`${title}, ${rows[0].connections} connections`, head, cells);
}

export function latencyTable(rows) {
  const head = ['`audit.release`', 'target', 'p50 ms', 'added p50', 'p99 ms', 'CPU µs/call', '÷ raw node', 'failed'];
  const cells = rows.map((row) => {
    const among = (name) => rows.find(({ target, release }) => target === name && release === row.release);
    return [
      row.release,
      row.target,
      ...delays(row, among),
      number(of(row, nodeCpu)),
      number(ratio(row, among('raw node'), nodeCpu), 2),
      failures(row),
    ];
  });
  return table('One connection, one call after the other', head, cells);
}

export function halfLoadTable({ rate: callsPerSecond, rows }) {
  const seen = ['p99 in the node ≤', 'mean at the server', 'mean elsewhere in the node', 'event loop p99'];
  const head = ['target', 'p50 ms', 'added p50', 'p99 ms', 'added p99', ...seen, 'failed'];
  const direct = rows.find(({ target }) => target === 'direct');
  const cells = rows.map((row) => {
    const addedP99 = row === direct ? undefined : added(row, direct, (run) => run.p99Ms);
    const inside = ['p99MsAtMost', 'atServerMs', 'elsewhereMs', 'loopDelayP99Ms'].map((name) =>
      number(
        of(row, (run) => run.inside?.[name]),
        2,
      ),
    );
    return [row.target, ...delays(row, () => direct), number(addedP99, 2), ...inside, failures(row)];
  });
  return table(`At half of what a node can take (${number(callsPerSecond, 0)} calls/s at fixed times)`, head, cells);
}

/** The cells p50, added p50 and p99. */
function delays(row, among) {
  const p50 = (run) => run.p50Ms;
  const addedP50 = row.target === 'direct' ? undefined : added(row, among('direct'), p50);
  return [number(of(row, p50), 2), number(addedP50, 2), number(percentile99(row), 2)];
}

export function listTable(rows) {
  const head = ['target', 'connections', 'lists/s', 'CPU µs/list', '÷ bare handler', 'failed'];
  const bareOf = ({ connections }) => rows.find((row) => row.connections === connections);
  const cells = rows.map((row) => [
    row.target,
    row.connections,
    number(of(row, rate), 0),
    number(of(row, nodeCpu)),
    number(ratio(row, bareOf(row), nodeCpu), 2),
    failures(row),
  ]);
  return table(`Lists of 200 tools (${number(rows[0].bytes, 0)} bytes)`, head, cells);
}

/** On a machine with few cores all else takes what a second node would use: what counts is how many calls a second of the nodes' CPU answers. */
export function nodeTable(rows) {
  const perCpuSecond = (run) => 1e6 / nodeCpu(run);
  const head = [
    'nodes',
    'calls/s each',
    'calls/s',
    '÷ one',
    'CPU µs/call',
    'calls per second of CPU, ÷ one',
    'so with a core each, ÷ one',
    'rest of the stack µs/call',
    "generators' µs/call",
    'failed',
  ];
  const cells = rows.map((row) => {
    const one = rows.find(({ nodes, isPaced }) => nodes === 1 && isPaced === row.isPaced);
    const efficiency = ratio(row, one, perCpuSecond);
    return [
      row.nodes,
      row.isPaced ? number(row.rate, 0) : 'all they can',
      number(of(row, rate), 0),
      number(ratio(row, one, rate), 2),
      number(of(row, nodeCpu)),
      number(efficiency, 2),
      number(efficiency * row.nodes, 2),
      number(of(row, restCpu)),
      number(of(row, (run) => run.generatorCpuUs)),
      failures(row),
    ];
  });
  return table('Two nodes and one, 64 connections in all', head, cells);
}

const ROWS = 30;

export function profileTable({ busyUs, owners, places, functions }) {
  const ranking = (title, column, ranked) => {
    const rows = ranked.slice(0, ROWS).map(([name, us]) => [name, number(us, 2), `${number((100 * us) / busyUs, 1)} %`]);
    return table(title, [column, 'µs/call', 'share'], rows);
  };
  return [
    ranking('Where the time of a call goes: on whose behalf', 'innermost function of ours, or package', owners),
    ranking('By place, self time', 'place', places),
    ranking('By function, self time', 'function', functions),
  ].join('\n');
}
