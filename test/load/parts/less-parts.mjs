// Takes parts of a node away, to see what each of them costs:
//   BENCH_LESS=queue,records node --import ./test/load/parts/less-parts.mjs apps/gateway/dist/main.js
// It edits the built files while they are loaded, and ends the node where one has changed so much that there is nothing to edit: the product has no
// switch for any of this. What is left decides and records nothing, and is for measuring on loopback alone.
import { registerHooks } from 'node:module';

const NOTHING = 'return Promise.resolve();';
const keepFirst = (name) => [`export function ${name}(`, `let kept;\nexport const ${name} = (...all) => (kept ??= first(...all));\nfunction first(`];

const EDITS = {
  queue: [
    ['packages/audit/dist/batch-queue.js', "await queue.add('batch', batch, { jobId });", 'await new Promise((resolve) => setTimeout(resolve, 2));'],
    ['packages/audit/dist/batch-queue.js', 'return (await queue.getJob(jobId)) !== undefined;', 'return true;'],
  ],
  records: [
    ['packages/audit/dist/audit-trail.js', "return this.record(event, 'intent');", NOTHING],
    ['packages/audit/dist/audit-trail.js', 'return this.record(event, this.parts.release());', NOTHING],
  ],
  hashes: [['packages/audit/dist/capture.js', "hash('sha256', isSmall ? content : bytes, 'hex')", "'no hash'"]],
  decision: [
    ['apps/gateway/dist/policy/decide-target.js', ...keepFirst('decideTarget')],
    [
      'apps/gateway/dist/view/agent-views.js',
      'of(agent, slug, moment) {',
      'of(...all) { return ((this.kept ??= {})[all[1]] ??= this.first(...all)); }\nfirst(agent, slug, moment) {',
    ],
  ],
  key: [['apps/gateway/dist/caller/authenticate.js', ...keepFirst('authenticate')]],
  counts: [
    ['apps/gateway/dist/process/call-metrics.js', 'ended(method, outcome) {', 'ended(method, outcome) { return;'],
    ['apps/gateway/dist/process/call-metrics.js', 'forwarded(durationUs, upstreamUs) {', 'forwarded(durationUs, upstreamUs) { return;'],
  ],
};

const edits = process.env.BENCH_LESS.split(',').flatMap((part) => EDITS[part]);
const waiting = new Set(edits);

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    let { source } = loaded;
    const text = () => (typeof source === 'string' ? source : Buffer.from(source).toString());
    for (const edit of edits) {
      const [file, before, after] = edit;
      if (!url.endsWith(`/${file}`)) continue;
      if (!text().includes(before)) throw new Error(`Nothing to take away in ${file}: ${before}`);
      source = text().replace(before, () => after);
      waiting.delete(edit);
    }
    return { ...loaded, source };
  },
});
setTimeout(() => {
  if (waiting.size > 0) throw new Error(`Never loaded: ${[...waiting].map(([file]) => file).join(', ')}`);
}, 10_000).unref();
