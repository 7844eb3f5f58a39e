// npm run faults [-- --minutes 60] [--seed N] [--case F7]… [--per-second N]: runs every case of the audit path whole, or faults at random for so
// long, and prints what came of it as a table in Markdown.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    case: { type: 'string', multiple: true },
    'per-second': { type: 'string' },
  },
});
const numberOf = (text) => (text === undefined ? undefined : Number(text));

const load = async (file) => (await runnerImport(fileURLToPath(new URL(file, import.meta.url)), { configFile: false, logLevel: 'error' })).module;
const [{ run }, { TABLE_HEAD, tableRow }] = await Promise.all([load('laboratory-run.ts'), load('report-table.ts')]);
const version = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
const extent = values.minutes === undefined ? 'each case once' : `faults at random for ${values.minutes} minutes`;
console.log(`Seed ${values.seed}, ${extent}, version ${version}, begun ${new Date().toISOString()}\n\n${TABLE_HEAD}`);
const lines = await run({
  seed: Number(values.seed),
  minutes: numberOf(values.minutes),
  names: values.case,
  perSecond: numberOf(values['per-second']),
  onLine: (line) => console.log(tableRow(line)),
  onKept: (directory) => console.error(`Logs, spools and the ledger are in ${directory}`),
});
const sum = (name) => lines.reduce((total, line) => total + line[name], 0);
const all = {
  name: 'all',
  p99Ms: Math.max(...lines.map(({ p99Ms }) => p99Ms)),
  beforeMs: '',
  afterMs: '',
  wrong: lines.flatMap(({ wrong }) => wrong),
};
for (const name of ['seconds', 'sent', 'answered', 'rows', 'lost', 'doubled']) all[name] = sum(name);
console.log(tableRow({ ...all, wrong: all.wrong.length === 0 ? [] : [`${all.wrong.length} findings`] }));
process.exitCode = all.wrong.length === 0 ? 0 : 1;
